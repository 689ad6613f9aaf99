//! Holds the layers of the house: which room may name which, and which crates belong to which room.
//!
//! Every file under `src` is parsed, so that neither an inline path, nor `super::`, nor an alias, nor the body of a
//! macro hides an import. What syntax alone cannot show (a type that reaches a room through another room's function)
//! is not an import and is not judged.
#![allow(
    clippy::expect_used,
    reason = "what cannot happen ends a test; clippy spares only the test functions themselves"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// The rooms that every other room may name.
const GROUND: [&str; 3] = ["model", "text", "process"];

/// What each room may name besides itself and, above the ground floor, `GROUND`.
const ROOMS: [(&str, &[&str]); 16] = [
    ("model", &["text"]),
    ("text", &["model"]),
    ("process", &["model", "text"]),
    ("config", &[]),
    ("git", &[]),
    ("render", &[]),
    ("cluster", &[]),
    ("drift", &[]),
    ("gitops", &["cluster"]),
    ("action", &["drift", "cluster", "git", "gitops", "render", "config"]),
    ("pipeline", &["config", "git", "render", "cluster", "drift", "gitops", "action"]),
    ("deck", &["config"]),
    ("ui", &["deck", "config"]),
    ("runtime", &["pipeline", "action", "deck", "config"]),
    ("shell", &["runtime", "ui", "deck", "config"]),
    ("cli", &["pipeline", "action", "config"]),
];

/// Crates that only some rooms may name.
const CRATES: [(&str, &[&str]); 4] = [
    ("git2", &["git"]),
    ("kube", &["cluster", "gitops"]),
    ("k8s_openapi", &["cluster", "gitops"]),
    ("ratatui", &["ui", "shell"]),
];

/// Where the right to read sealed values may be made: the writers to a cluster, `render --show-secrets`, and where a
/// sealed text is made of sealed values (last-applied).
const OPENERS: [&str; 5] = [
    "src/model/sealed.rs",
    "src/model/last_applied.rs",
    "src/cluster",
    "src/cli/render.rs",
    "src/cli/render",
];

/// Lines that a file may have; 600 is a sign to split, this is the end.
const LONGEST_FILE: usize = 900;
const LONGEST_MAIN: usize = 40;

/// One place that breaks a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Breach {
    file: PathBuf,
    line: usize,
    names: String,
    rule: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.file.display(), self.line, self.names, self.rule)
    }
}

/// A module's path from the crate root, or any other absolute path within the crate.
type Absolute = Vec<String>;

/// What a path names, once resolved.
enum Named {
    Ours(Absolute),
    Foreign(String),
    /// A local item, or a crate that no rule speaks of.
    Nothing,
}

/// The names that a module's own items bring into its scope.
#[derive(Default, Clone)]
struct Scope {
    module: Absolute,
    children: BTreeSet<String>,
    aliases: BTreeMap<String, Absolute>,
}

impl Scope {
    fn of(module: Absolute, items: &[syn::Item]) -> Self {
        let mut scope = Self { module, ..Self::default() };
        for item in items {
            if let syn::Item::Mod(child) = item {
                scope.children.insert(child.ident.to_string());
            }
        }
        // Twice, so that an alias of an alias is known too.
        for _ in 0..2 {
            for item in items {
                scope.learn(item);
            }
        }
        scope
    }

    fn learn(&mut self, item: &syn::Item) {
        match item {
            syn::Item::Use(import) => {
                let mut leaves = Vec::new();
                flatten(&import.tree, Vec::new(), &mut leaves);
                for leaf in leaves {
                    let Leaf { path, alias: Some(alias), .. } = leaf else { continue };
                    if let Named::Ours(target) = self.resolve(&path, import.leading_colon.is_some()) {
                        self.aliases.insert(alias, target);
                    }
                }
            }
            syn::Item::ExternCrate(import) if import.ident == "self" => {
                if let Some((_, alias)) = &import.rename {
                    self.aliases.insert(alias.to_string(), Vec::new());
                }
            }
            _ => {}
        }
    }

    fn resolve(&self, path: &[String], leading_colon: bool) -> Named {
        let Some((first, rest)) = path.split_first() else { return Named::Nothing };
        if leading_colon {
            return Self::foreign(first, rest);
        }
        let mut at = match first.as_str() {
            "crate" | "driftdeck" => Vec::new(),
            "self" => self.module.clone(),
            "super" => parent(&self.module),
            name if self.children.contains(name) => [self.module.clone(), vec![name.to_owned()]].concat(),
            name => match self.aliases.get(name) {
                Some(target) => target.clone(),
                None => return Self::foreign(first, rest),
            },
        };
        for segment in rest {
            match segment.as_str() {
                "self" => {}
                "super" => at = parent(&at),
                name => at.push(name.to_owned()),
            }
        }
        Named::Ours(at)
    }

    fn foreign(first: &str, rest: &[String]) -> Named {
        let known = CRATES.iter().any(|(name, _)| *name == first);
        // A single word is a local variable or item, unless a `use` names it, which adds a segment.
        if known && !rest.is_empty() { Named::Foreign(first.to_owned()) } else { Named::Nothing }
    }
}

fn parent(module: &[String]) -> Absolute {
    module.split_last().map(|(_, parent)| parent.to_vec()).unwrap_or_default()
}

/// One name of a `use` tree.
struct Leaf {
    path: Vec<String>,
    alias: Option<String>,
    glob: bool,
    line: usize,
}

fn flatten(tree: &syn::UseTree, mut path: Vec<String>, leaves: &mut Vec<Leaf>) {
    let line = tree.span().start().line;
    match tree {
        syn::UseTree::Path(step) => {
            path.push(step.ident.to_string());
            flatten(&step.tree, path, leaves);
        }
        syn::UseTree::Name(name) => {
            // `use a::b::{self}` brings in `b`.
            let alias =
                if name.ident == "self" { path.last().cloned() } else { Some(name.ident.to_string()) };
            path.push(name.ident.to_string());
            leaves.push(Leaf { path, alias, glob: false, line });
        }
        syn::UseTree::Rename(name) => {
            path.push(name.ident.to_string());
            leaves.push(Leaf { path, alias: Some(name.rename.to_string()), glob: false, line });
        }
        syn::UseTree::Glob(_) => leaves.push(Leaf { path, alias: None, glob: true, line }),
        syn::UseTree::Group(group) => group.items.iter().for_each(|item| flatten(item, path.clone(), leaves)),
    }
}

/// Walks one file and collects what breaks a rule.
struct Reader<'a> {
    file: &'a Path,
    room: Option<&'a str>,
    scopes: Vec<Scope>,
    breaches: Vec<Breach>,
}

impl Reader<'_> {
    fn scope(&self) -> Scope {
        self.scopes.last().cloned().unwrap_or_default()
    }

    fn breach(&mut self, line: usize, names: impl Into<String>, rule: impl Into<String>) {
        let file = self.file.to_path_buf();
        self.breaches.push(Breach { file, line, names: format!("`{}`", names.into()), rule: rule.into() });
    }

    /// Judges a path that ends in a function of `Opener`, the right to read sealed values.
    fn judge_opener(&mut self, path: &[String], line: usize) {
        let makes = path.len() >= 2 && path[path.len() - 2] == "Opener" && path[path.len() - 1] != "self";
        if makes && !OPENERS.iter().any(|home| self.file.starts_with(home)) {
            self.breach(line, path.join("::"), format!("is called only in {}", OPENERS.join(", ")));
        }
    }

    fn judge(&mut self, path: &[String], leading_colon: bool, line: usize) {
        self.judge_opener(path, line);
        // lib.rs and main.rs join the rooms, and may name them all.
        let Some(room) = self.room else { return };
        let written = format!("{}{}", if leading_colon { "::" } else { "" }, path.join("::"));
        match self.scope().resolve(path, leading_colon) {
            Named::Foreign(name) => {
                let (_, homes) =
                    CRATES.iter().find(|(known, _)| *known == name).expect("a crate with a rule");
                if !homes.contains(&room) {
                    self.breach(line, written, format!("{name} is named only in {}", homes.join(" and ")));
                }
            }
            Named::Ours(target) => {
                let Some(other) = target.first() else { return };
                let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else { return };
                let is_room = ROOMS.iter().any(|(name, _)| name == other);
                let ground = GROUND.contains(&other.as_str()) && !GROUND.contains(&room);
                if is_room && other != room && !ground && !allowed.contains(&other.as_str()) {
                    self.breach(line, written, format!("{room} may name {}, not {other}", rooms_below(room)));
                }
            }
            Named::Nothing => {}
        }
    }

    /// Judges every path within tokens that syn does not parse: bodies of macros, arguments of attributes.
    fn judge_tokens(&mut self, tokens: TokenStream, prefix: &[String]) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Ident(first) => {
                    let line = first.span().start().line;
                    let global = prefix.is_empty() && at >= 2 && is_colon(&tokens, at - 2);
                    let mut path = prefix.to_vec();
                    path.push(first.to_string());
                    at += 1;
                    while is_colon(&tokens, at) {
                        match tokens.get(at + 2) {
                            Some(TokenTree::Ident(next)) => {
                                path.push(next.to_string());
                                at += 3;
                            }
                            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                                self.judge_tokens(group.stream(), &path);
                                at += 3;
                            }
                            _ => break,
                        }
                    }
                    self.judge(&path, global, line);
                }
                TokenTree::Group(group) => {
                    self.judge_tokens(group.stream(), prefix);
                    at += 1;
                }
                TokenTree::Literal(literal) => {
                    // `#[serde(with = "crate::room::module")]` names it as much as a path does.
                    let text = literal.to_string();
                    let inner = text.trim_matches('"');
                    if ["crate::", "super::", "self::", "driftdeck::"]
                        .iter()
                        .any(|start| inner.starts_with(start))
                    {
                        let path: Vec<String> =
                            inner.split("::").map(|part| part.trim().to_owned()).collect();
                        self.judge(&path, false, literal.span().start().line);
                    }
                    at += 1;
                }
                TokenTree::Punct(_) => at += 1,
            }
        }
    }
}

fn is_colon(tokens: &[TokenTree], at: usize) -> bool {
    let colon =
        |index: usize| matches!(tokens.get(index), Some(TokenTree::Punct(mark)) if mark.as_char() == ':');
    colon(at) && colon(at + 1)
}

fn rooms_below(room: &str) -> String {
    let (_, allowed) = ROOMS.iter().find(|(name, _)| *name == room).expect("a room of the table");
    let mut all: Vec<&str> = allowed.to_vec();
    if !GROUND.contains(&room) {
        all.extend(GROUND);
    }
    all.join(", ")
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let line = item.span().start().line;
        if item.attrs.iter().any(|attribute| attribute.path().is_ident("path")) {
            self.breach(line, format!("mod {}", item.ident), "#[path] hides a file's room");
        }
        let Some((_, items)) = &item.content else { return visit::visit_item_mod(self, item) };
        let module = [self.scope().module, vec![item.ident.to_string()]].concat();
        self.scopes.push(Scope::of(module, items));
        visit::visit_item_mod(self, item);
        self.scopes.pop();
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        let mut scope = self.scope();
        for statement in &block.stmts {
            if let syn::Stmt::Item(item) = statement {
                scope.learn(item);
            }
        }
        self.scopes.push(scope);
        visit::visit_block(self, block);
        self.scopes.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut leaves = Vec::new();
        flatten(&item.tree, Vec::new(), &mut leaves);
        let global = item.leading_colon.is_some();
        for leaf in leaves {
            let written = leaf.path.join("::");
            let reaches_out = matches!(&item.vis, syn::Visibility::Public(_))
                || matches!(&item.vis, syn::Visibility::Restricted(limit) if limit.path.is_ident("crate"));
            if leaf.path.last().is_some_and(|last| last == "Opener")
                && leaf.alias.is_some_and(|as_| as_ != "Opener")
            {
                self.breach(leaf.line, &written, "the right to read sealed values goes by its own name");
            }
            match self.scope().resolve(&leaf.path, global) {
                Named::Ours(target) if leaf.glob && target.is_empty() && self.room.is_some() => {
                    self.breach(
                        leaf.line,
                        format!("{written}::*"),
                        "a glob of the crate root names every room",
                    );
                }
                Named::Foreign(name) if reaches_out => {
                    self.breach(
                        leaf.line,
                        &written,
                        format!("{name} is handed on to rooms that may not name it"),
                    );
                }
                _ => {}
            }
            // `use git2;` and `use git2 as g;` name the crate although nothing follows.
            let padded = [leaf.path, vec!["self".to_owned()]].concat();
            self.judge(&padded, global, leaf.line);
        }
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        self.judge(&[item.ident.to_string(), "self".to_owned()], true, item.span().start().line);
    }

    fn visit_qself(&mut self, qself: &'ast syn::QSelf) {
        // `<Opener>::new()`
        if let syn::Type::Path(of) = &*qself.ty
            && of.path.segments.last().is_some_and(|last| last.ident == "Opener")
        {
            self.judge_opener(&["Opener".to_owned(), "…".to_owned()], qself.span().start().line);
        }
        visit::visit_qself(self, qself);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.judge(&segments, path.leading_colon.is_some(), path.span().start().line);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if call.path.is_ident("include") {
            self.breach(call.span().start().line, "include!", "hides source from this test");
        }
        self.judge_tokens(call.tokens.clone(), &[]);
        visit::visit_macro(self, call);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        match &attribute.meta {
            syn::Meta::List(list) => self.judge_tokens(list.tokens.clone(), &[]),
            syn::Meta::NameValue(pair) if !pair.path.is_ident("doc") => visit::visit_expr(self, &pair.value),
            _ => {}
        }
        visit::visit_path(self, attribute.path());
    }
}

/// Judges one file, given with its path from the project's root (`src/ui/mod.rs`).
fn judge_file(file: &Path, source: &str) -> Vec<Breach> {
    let module = module_of(file);
    let room = module.first().map(String::as_str);
    let mut reader = Reader { file, room, scopes: Vec::new(), breaches: Vec::new() };
    if let Some(room) = room
        && !ROOMS.iter().any(|(name, _)| *name == room)
    {
        reader.breach(1, room, "is no room of the house");
    }
    if !source.lines().next().is_some_and(|line| line.starts_with("//!")) {
        reader.breach(1, "//!", "a file opens by saying what it defines");
    }
    let lines = source.lines().count();
    let longest = if file.ends_with("main.rs") && room.is_none() { LONGEST_MAIN } else { LONGEST_FILE };
    if lines > longest {
        reader.breach(lines, format!("{lines} lines"), format!("at most {longest}: split it by subject"));
    }
    match syn::parse_file(source) {
        Ok(parsed) => {
            reader.scopes.push(Scope::of(module.clone(), &parsed.items));
            reader.visit_file(&parsed);
        }
        Err(error) => reader.breach(error.span().start().line, error.to_string(), "does not parse"),
    }
    reader.breaches.sort();
    reader.breaches.dedup();
    reader.breaches
}

/// Returns the module that a file under `src` defines; empty for `lib.rs` and `main.rs`.
fn module_of(file: &Path) -> Absolute {
    let inside = file.strip_prefix("src").expect("a file under src").with_extension("");
    let mut module: Absolute = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let roots: &[&str] = if module.len() == 1 { &["lib", "main", "mod"] } else { &["mod"] };
    if module.last().is_some_and(|last| roots.contains(&last.as_str())) {
        module.pop();
    }
    module
}

#[test]
fn every_room_names_only_the_rooms_and_crates_that_it_may() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut breaches = Vec::new();
    let mut files = 0;
    for entry in walkdir::WalkDir::new(root.join("src")).sort_by_file_name() {
        let entry = entry.expect("src can be walked");
        if entry.path().extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        files += 1;
        let source = std::fs::read_to_string(entry.path()).expect("a source file can be read");
        breaches.extend(judge_file(entry.path().strip_prefix(root).expect("a path under the root"), &source));
    }
    assert!(files >= 2, "found no sources");
    let listed: Vec<String> = breaches.iter().map(ToString::to_string).collect();
    assert!(breaches.is_empty(), "{} breaches of the layers:\n{}\n", listed.len(), listed.join("\n"));
}

/// Judges a snippet as if it were a file, and returns the rules that it breaks.
fn rules_broken(file: &str, body: &str) -> Vec<String> {
    let source = format!("//! Subject.\n{body}\n");
    judge_file(Path::new(file), &source)
        .into_iter()
        .map(|breach| format!("{} {}", breach.line, breach.names))
        .collect()
}

#[test]
fn every_way_to_name_a_forbidden_room_is_found() {
    let drift = "src/drift/compare.rs";
    let cases = [
        ("use crate::git;", "2 `crate::git::self`"),
        ("use crate::{model::Value, git::{self, History}};", "2 `crate::git::History::self`"),
        ("use super::super::git::History;", "2 `super::super::git::History::self`"),
        ("use driftdeck::git::History;", "2 `driftdeck::git::History::self`"),
        ("fn f() { crate::git::open() }", "2 `crate::git::open`"),
        ("fn f(of: &crate::git::History) {}", "2 `crate::git::History`"),
        ("fn f() { use crate::git::open; }", "2 `crate::git::open::self`"),
        ("mod tests { use super::super::super::git::open; }", "2 `super::super::super::git::open::self`"),
        ("use crate as root; fn f() { root::git::open() }", "2 `root::git::open`"),
        ("fn f() { use crate as root; root::git::open() }", "2 `root::git::open`"),
        ("use super::super as up; use up as top; fn f() { top::git::open() }", "2 `top::git::open`"),
        ("use crate::*;", "2 `crate::*`"),
        ("fn f() { vec![crate::git::open()] }", "2 `crate::git::open`"),
        ("macro_rules! m { () => { $crate::git::open() } }", "2 `crate::git::open`"),
        ("macro_rules! m { () => { use crate::{model, git::open}; } }", "2 `crate::git::open`"),
        ("#[derive(crate::git::D)] struct S;", "2 `crate::git::D`"),
        ("struct S { #[serde(with = \"crate::git::oid\")] oid: u8 }", "2 `crate::git::oid`"),
        ("impl crate::git::Tree for S {}", "2 `crate::git::Tree`"),
        ("#[path = \"../git/log.rs\"] mod log;", "2 `mod log`"),
        ("include!(\"../git/log.rs\");", "2 `include!`"),
        ("use git2::Oid;", "2 `git2::Oid::self`"),
        ("use git2 as g;", "2 `git2::self`"),
        ("extern crate git2;", "2 `::git2::self`"),
        ("fn f(oid: git2::Oid) {}", "2 `git2::Oid`"),
        ("fn f(oid: ::git2::Oid) {}", "2 `::git2::Oid`"),
        ("fn f() { format!(\"{}\", ::kube::Client::new()) }", "2 `::kube::Client::new`"),
    ];
    for (body, breach) in cases {
        let found = rules_broken(drift, body);
        assert!(found.iter().any(|named| named == breach), "{body}\n  should be {breach}\n  found {found:?}");
    }
}

#[test]
fn what_a_room_may_name_is_no_breach() {
    let cases = [
        ("src/drift/compare.rs", "use crate::model::Value; use super::quantity; use std::fmt;"),
        (
            "src/drift/mod.rs",
            "mod compare; mod git; use git::Thing; pub use compare::compare; mod tests { use super::*; }",
        ),
        ("src/drift/compare.rs", "fn f(kube: u8) -> u8 { kube }"),
        (
            "src/cluster/remote/client.rs",
            "use kube::Client; fn f() { k8s_openapi::api::core::v1::Pod::default(); }",
        ),
        ("src/ui/deck/mod.rs", "use ratatui::Frame; use crate::deck::State;"),
        ("src/cluster/remote/write.rs", "use crate::model::Opener; fn f() { Opener::new(); }"),
        ("src/action/apply.rs", "use crate::model::{Opener, Sealed}; fn f(by: &Opener) {}"),
        ("src/ui/mod.rs", "mod kube; fn f() { kube::draw() }"),
        ("src/runtime/mod.rs", "use crate::{pipeline, action::Plan, deck::Message, config};"),
        ("src/lib.rs", "pub mod git; pub mod cluster; pub use cluster::Cluster;"),
        ("src/text/sink.rs", "//! See [`crate::ui`].\n/// As `crate::git` does.\nfn f() {}"),
    ];
    for (file, body) in cases {
        assert_eq!(rules_broken(file, body), Vec::<String>::new(), "{file}: {body}");
    }
}

#[test]
fn a_file_has_a_room_a_header_and_an_end() {
    assert_eq!(rules_broken("src/utils/mod.rs", ""), ["1 `utils`"]);
    assert_eq!(rules_broken("src/ui/mod.rs", &"\n".repeat(LONGEST_FILE)).len(), 1);
    assert_eq!(rules_broken("src/main.rs", &"\n".repeat(LONGEST_MAIN)).len(), 1);
    assert_eq!(rules_broken("src/git/mod.rs", "pub(crate) use git2::Oid;"), ["2 `git2::Oid`"]);
    let headless = judge_file(Path::new("src/ui/mod.rs"), "fn f() {}\n");
    assert_eq!(headless.len(), 1);
    assert_eq!(headless[0].to_string(), "src/ui/mod.rs:1: `//!`: a file opens by saying what it defines");
}
