//! Defines how jq path expressions are read and run, by jaq.
//!
//! An expression may come from a repository, and a short one can run for ever or fill all memory: [`check`] only compiles.
//! [`answer`] runs, and is called in a child process that is bounded and has an empty environment; nothing else may call
//! it.

use jaq_core::data::JustLut;
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars, unwrap_valr};
use jaq_json::{Val, read};
use serde_json::{Value as Json, json};

/// Characters that an expression may have.
pub const LONGEST: usize = 1000;

/// Spots that one expression may name in one document.
const MOST_SPOTS: usize = 10_000;

/// Why an expression cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JqError {
    #[error("it has more than {LONGEST} characters")]
    TooLong,
    #[error("it is no jq expression")]
    NotJq,
    #[error("there is no jq function {0}")]
    NoFunction(String),
}

/// Compiles an expression and runs nothing.
pub fn check(expression: &str) -> Result<(), JqError> {
    if expression.chars().count() > LONGEST {
        return Err(JqError::TooLong);
    }
    compile(expression).map(|_| ())
}

fn compile(expression: &str) -> Result<Filter<JustLut<Val>>, JqError> {
    let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let arena = Arena::default();
    let program = File { code: expression, path: () };
    let modules = Loader::new(definitions).load(&arena, program).map_err(|_| JqError::NotJq)?;
    Compiler::default().with_funs(functions).compile(modules).map_err(|errors| {
        let first = errors.into_iter().flat_map(|(_, errors)| errors).next();
        first.map_or(JqError::NotJq, |(name, _)| JqError::NoFunction(name.to_owned()))
    })
}

/// Returns the paths that an expression names in a document, each a JSON array of keys and positions. What the expression
/// cannot do with this document (to iterate over null, say) names nothing.
fn paths(expression: &str, document: &[u8]) -> Result<Vec<Json>, String> {
    check(expression).map_err(|error| error.to_string())?;
    // A comment at the end must not swallow the bracket.
    let paths = compile(&format!("path({expression}\n)")).map_err(|error| error.to_string())?;
    let document = read::parse_single(document).map_err(|error| error.to_string())?;
    let context = Ctx::<JustLut<Val>>::new(&paths.lut, Vars::new([]));
    let mut found = Vec::new();
    for path in paths.id.run((context, document)).map(unwrap_valr) {
        let Ok(path) = path else { break };
        found.push(serde_json::from_str(&path.to_string()).map_err(|error| error.to_string())?);
        if found.len() > MOST_SPOTS {
            return Err(format!("it names more than {MOST_SPOTS} fields"));
        }
    }
    Ok(found)
}

/// Answers one question: `{"expressions": […], "documents": […]}` with a list that has, for each expression, either
/// `{"paths": […]}`, a list of paths for each document, or `{"error": "…"}`.
pub fn answer(question: &[u8]) -> Vec<u8> {
    let question: Json = serde_json::from_slice(question).unwrap_or_default();
    let list = |name: &str| question.get(name).and_then(Json::as_array).cloned().unwrap_or_default();
    let documents: Vec<Vec<u8>> =
        list("documents").iter().map(|document| document.to_string().into()).collect();
    let answers = list("expressions").into_iter().map(|expression| {
        let expression = expression.as_str().unwrap_or_default();
        let all: Result<Vec<_>, _> = documents.iter().map(|document| paths(expression, document)).collect();
        match all {
            Ok(paths) => json!({ "paths": paths }),
            Err(error) => json!({ "error": error }),
        }
    });
    answers.collect::<Json>().to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_names_paths_and_a_broken_one_says_why() {
        let document =
            br#"{"spec": {"containers": [{"name": "a", "image": "x"}, {"name": "b"}], "n": null}}"#;
        for (expression, expected) in [
            (".spec.containers[0].image", json!([["spec", "containers", 0, "image"]])),
            (r#".spec.containers[] | select(.name == "b")"#, json!([["spec", "containers", 1]])),
            (r#".spec.containers[] | select(.name | test("^a"))"#, json!([["spec", "containers", 0]])),
            (".spec | .containers # a comment", json!([["spec", "containers"]])),
            (".spec.n[]", json!([])),
            (".spec.nothing", json!([["spec", "nothing"]])),
        ] {
            assert_eq!(Json::from(paths(expression, document).unwrap()), expected, "{expression}");
        }
        for (expression, error) in [
            (".spec[", JqError::NotJq),
            (".a) | (.b", JqError::NotJq),
            ("no_such_thing", JqError::NoFunction("no_such_thing".into())),
        ] {
            assert_eq!(check(expression), Err(error), "{expression}");
        }
        let longest = format!(".{}", "a".repeat(LONGEST - 1));
        assert_eq!(check(&longest), Ok(()));
        assert_eq!(paths(&longest, b"{}").unwrap().len(), 1, "what may be written can be run");
        assert_eq!(check(&format!("{longest}a")), Err(JqError::TooLong));
    }

    #[test]
    fn a_question_gets_an_answer_for_each_expression() {
        let question = json!({"expressions": [".a", "1"], "documents": [{"a": 1}, {"b": 2}]});
        let answer: Json = serde_json::from_slice(&answer(question.to_string().as_bytes())).unwrap();
        assert_eq!(answer, json!([{"paths": [[["a"]], [["a"]]]}, {"paths": [[], []]}]));
    }
}
