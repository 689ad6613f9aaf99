//! Texts made at random, from a fixed seed (or that of DRIFTDECK_TEST_SEED), are read as kubectl reads them.

use crate::support::Namespace;
use driftdeck::model::Value;
use driftdeck::text::yaml::read_documents;

/// Texts that are tried.
const TEXTS: usize = 3_000;
/// Texts that go to one kubectl.
const AT_ONCE: usize = 100;

/// A small generator of numbers that are random enough (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let rolled = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(rolled).expect("31 bits") % sides
    }

    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.roll(from.len())]
    }

    fn text(&mut self, letters: &str, most: usize) -> String {
        let letters: Vec<char> = letters.chars().collect();
        (0..=self.roll(most)).map(|_| letters[self.roll(letters.len())]).collect()
    }

    /// A number in one of the many spellings, or nearly one.
    fn number(&mut self) -> String {
        let sign = self.pick(&["", "", "", "-", "+"]);
        let digits = self.text("0123456789", 12);
        match self.roll(12) {
            0 => format!("{sign}0x{}", self.text("0123456789abcdefABCDEF_", 10)),
            1 => format!("{sign}0{}", self.text("012345678_", 8)),
            2 => format!("{sign}0o{}", self.text("012345678", 6)),
            3 => format!("{sign}0b{}", self.text("01_", 8)),
            4 => format!("{sign}{digits}.{}", self.text("0123456789", 6)),
            5 => format!(
                "{sign}{digits}{}{}{}",
                self.pick(&["e", "E"]),
                self.pick(&["", "+", "-"]),
                self.roll(330)
            ),
            6 => format!("{sign}{}:{:02}", self.roll(90), self.roll(70)),
            7 => format!("{sign}{}:{:02}:{:02}", self.roll(30), self.roll(70), self.roll(70)),
            8 => format!(
                "{sign}{}",
                self.pick(&[
                    "9223372036854775807",
                    "9223372036854775808",
                    "18446744073709551615",
                    "18446744073709551616",
                    "9007199254740993",
                    "1e400",
                    "1_000_000",
                    "1__0",
                    "_1",
                    "1_"
                ])
            ),
            9 => format!("{sign}.{digits}"),
            10 => format!("{sign}{digits}."),
            _ => format!("{sign}{digits}"),
        }
    }

    fn time(&mut self) -> String {
        let date = format!("{:04}-{:02}-{}", 1990 + self.roll(60), self.roll(14), self.roll(33));
        let clock = format!("{:02}:{}:{:02}", self.roll(26), self.roll(62), self.roll(62));
        match self.roll(6) {
            0 => date,
            1 => format!("{date}T{clock}Z"),
            2 => format!("{date} {clock}"),
            3 => format!("{date}t{clock}.{}Z", self.roll(999)),
            4 => format!("{date}T{clock}{}", self.pick(&["+02:00", "-1", "+0530", " Z"])),
            _ => format!("{date} {clock} {}", self.pick(&["Z", "+1", "-07:00"])),
        }
    }

    fn word(&mut self) -> String {
        self.pick(&[
            "y",
            "Y",
            "yes",
            "Yes",
            "YES",
            "yEs",
            "n",
            "N",
            "no",
            "No",
            "NO",
            "on",
            "On",
            "ON",
            "oN",
            "off",
            "Off",
            "OFF",
            "true",
            "True",
            "TRUE",
            "tRUE",
            "false",
            "False",
            "FALSE",
            "null",
            "Null",
            "NULL",
            "nULL",
            "~",
            "~~",
            "",
            ".inf",
            "-.Inf",
            "+.INF",
            ".nan",
            ".NaN",
            "-.nan",
            "=",
            "<<",
            "-",
            "--",
            "a b",
            "a:b",
            "a #b",
            "é☃",
            "\u{feff}x",
            "x: y",
            "[",
            "]",
            "{",
            "}",
            "@a",
            "`a",
            "%a",
            "|x",
            ">x",
            "!x",
            "&x",
            "*x",
            "? x",
            "- x",
            "'",
            "\"",
            "a'b",
            ",",
        ])
        .to_owned()
    }

    fn plain(&mut self) -> String {
        match self.roll(4) {
            0 => self.number(),
            1 => self.time(),
            2 => self.word(),
            _ => self.text("0123456789abxoeEyYnN_+-.:~#TZ ", 7),
        }
    }

    fn quoted(&mut self) -> String {
        let inner = self.plain().replace(['\'', '"', '\\'], "");
        match self.roll(4) {
            0 => format!("'{inner}'"),
            1 => format!("\"{inner}\""),
            2 => format!("'it''s {inner}'"),
            _ => {
                let escape = self.pick(&[
                    "\\n",
                    "\\t",
                    "\\x41",
                    "\\u263a",
                    "\\U0001F600",
                    "\\\\",
                    "\\\"",
                    "\\e",
                    "\\0",
                    "\\ ",
                    "\\_",
                    "\\N",
                    "\\L",
                    "\\/",
                    "\\q",
                    "\\ud83d",
                    "\\a",
                ]);
                format!("\"{inner}{escape}z\"")
            }
        }
    }

    fn tagged(&mut self) -> String {
        let tag = self.pick(&[
            "!!str",
            "!!int",
            "!!float",
            "!!bool",
            "!!null",
            "!!binary",
            "!!timestamp",
            "!local",
            "!!map",
            "!!seq",
            "!<tag:yaml.org,2002:str>",
            "!",
            "!!set",
        ]);
        let value = match self.roll(3) {
            0 => self.quoted(),
            1 => self.pick(&["aGVsbG8=", "//79", "a GVs", "12", "1.0", "yes", "~", "0x1F"]).to_owned(),
            _ => self.plain(),
        };
        format!("{tag} {value}")
    }

    /// A block scalar below a key that is indented by two.
    fn block(&mut self) -> String {
        let head = self.pick(&["|", ">", "|-", ">-", "|+", ">+", "|2", ">2-", "|+1", "| # c", "|-3", "|0"]);
        let lines: String = (0..=self.roll(3))
            .map(|_| {
                let indent = self.pick(&["    ", "    ", "      ", "   ", "", "    \t", "  "]);
                let text = self.pick(&["one", "two  ", "", "# no comment", "- x", "a: b", "\ttab", "é"]);
                format!("\n{indent}{text}")
            })
            .collect();
        format!("{head}{lines}")
    }

    fn flow(&mut self, depth: usize) -> String {
        match self.roll(if depth == 0 { 2 } else { 5 }) {
            0 => self.plain().replace([',', '[', ']', '{', '}', '#'], ""),
            1 => self.quoted(),
            2 => format!("[{}, {}]", self.flow(depth - 1), self.flow(depth - 1)),
            3 => format!("{{a: {}, {}: {}}}", self.flow(depth - 1), self.key(), self.flow(depth - 1)),
            _ => self
                .pick(&[
                    "[]",
                    "{}",
                    "[a, ]",
                    "{a}",
                    "{a: }",
                    "[a: b]",
                    "{a: 1, a: 2}",
                    "{\"a\":1}",
                    "[,]",
                    "{? a : b}",
                ])
                .to_owned(),
        }
    }

    fn key(&mut self) -> String {
        self.pick(&[
            "k",
            "1",
            "1.5",
            "true",
            "yes",
            "null",
            "~",
            "0x10",
            "010",
            "'q'",
            "\"d\"",
            "2001-01-01",
            "-1",
            "1e3",
            "é",
            "a b",
            "? z",
        ])
        .to_owned()
    }

    fn value(&mut self) -> String {
        match self.roll(8) {
            0..=2 => self.plain(),
            3 => self.quoted(),
            4 => self.tagged(),
            5 => self.block(),
            6 => self.flow(2),
            _ => format!("{}{}", self.plain(), self.pick(&[" # c", "#c", "  ", "\t", " : ", ":"])),
        }
    }

    /// What stands below `spec`, in lines.
    fn spec(&mut self) -> String {
        match self.roll(8) {
            0 => format!("  a: &x {}\n  b: *x\n  c: [*x, *x]\n", self.plain()),
            1 => format!(
                "  base: &b {{k: {}, l: 1}}\n  v:\n    <<: *b\n    k: {}\n",
                self.flow(0),
                self.flow(0)
            ),
            2 => format!(
                "  a: &a {{x: 1}}\n  b: &b {{x: 2, y: 3}}\n  v: {{x: 0, <<: [*a, *b]}}\n  w:\n    <<: [*b, *a]\n    z: {}\n",
                self.flow(0)
            ),
            3 => format!("  {}: 1\n  {}: {}\n", self.key(), self.key(), self.value()),
            4 => format!(
                "  l:\n  - {}\n  -\n    {}\n  - - a\n    - {}\n",
                self.value(),
                self.flow(1),
                self.plain()
            ),
            5 => format!("  v: {}\n    {}\n", self.plain(), self.plain()),
            _ => format!("  v: {}\n  w: {}\n", self.value(), self.value()),
        }
    }

    fn document(&mut self, kind: &str, at: usize) -> String {
        let text = format!("{kind}metadata:\n  name: t{at}\nspec:\n{}", self.spec());
        match self.roll(12) {
            0 => text.replace('\n', "\r\n"),
            1 => format!("# comment\n\n{text}"),
            2 => format!("{text}...\n"),
            3 => text.trim_end().to_owned() + "\n\n\n",
            _ => text,
        }
    }
}

/// Returns what kubectl makes of the texts' specs; `None` where it refuses one of them.
fn by_kubectl(namespace: &Namespace, texts: &[&String]) -> Option<Vec<Value>> {
    let joined: String =
        texts.iter().map(|text| format!("---\n{}", text.trim_end_matches("...\n"))).collect();
    let run = namespace
        .try_kubectl(&["create", "--dry-run=client", "--validate=false", "-o", "json", "-f", "-"], &joined);
    if run.code != 0 {
        return None;
    }
    let objects = serde_json::Deserializer::from_str(&run.stdout).into_iter::<serde_json::Value>();
    Some(objects.map(|object| Value::from(object.expect("JSON")["spec"].clone())).collect())
}

fn by_driftdeck(text: &str) -> Option<Value> {
    let read = read_documents(text.trim_end_matches("...\n").as_bytes());
    let [Ok(document)] = read.as_slice() else { return None };
    Some(document.value.get("spec").cloned().unwrap_or(Value::Null))
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn texts_made_at_random_are_read_as_kubectl_reads_them() {
    let namespace = Namespace::new("yaml");
    let group = format!("yaml-{}.example.com", std::process::id());
    namespace.apply(&format!(
        "{{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {{name: things.{group}}}, spec: {{group: {group}, scope: Namespaced, names: {{plural: things, kind: Thing}}, versions: [{{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}}}]}}}}"
    ));
    namespace.plane.established(&[&format!("crd/things.{group}")]);
    let kind = format!("apiVersion: {group}/v1\nkind: Thing\n");
    let seed = std::env::var("DRIFTDECK_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let mut dice = Dice(seed.unwrap_or(20_261_124));
    let texts: Vec<String> = (0..TEXTS).map(|at| dice.document(&kind, at)).collect();
    let (read, refused): (Vec<&String>, Vec<&String>) =
        texts.iter().partition(|text| by_driftdeck(text).is_some());

    let mut wrong = Vec::new();
    let mut compare = |text: &String, theirs: Option<&Value>| {
        let ours = by_driftdeck(text);
        if ours.as_ref() != theirs {
            wrong.push(format!("{text:?}\n  kubectl {theirs:?}\n  ours    {ours:?}"));
        }
    };
    for batch in read.chunks(AT_ONCE) {
        match by_kubectl(&namespace, batch) {
            Some(specs) if specs.len() == batch.len() => {
                batch.iter().zip(&specs).for_each(|(text, spec)| compare(text, Some(spec)));
            }
            // One of them is refused: each by itself.
            _ => {
                for text in batch {
                    let specs = by_kubectl(&namespace, &[text]);
                    compare(text, specs.as_ref().and_then(|specs| specs.first()));
                }
            }
        }
    }
    // Every fifth of those that are refused here: kubectl must refuse it too.
    for text in refused.iter().step_by(5) {
        let specs = by_kubectl(&namespace, &[text]);
        compare(text, specs.as_ref().and_then(|specs| specs.first()));
    }
    assert!(read.len() > TEXTS / 2, "{} of {TEXTS} can be read", read.len());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), read.len(), wrong.join("\n"));
}
