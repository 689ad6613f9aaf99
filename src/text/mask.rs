//! Defines which values look like secrets although they stand in no Secret: by the name of their field or variable, by
//! what they are (private keys, tokens, URLs with a password), or by the user's own rules.
//!
//! Only the values are masked, never what names a secret: `secretName`, `secretKeyRef`, `existingSecret`,
//! `passwordSecretRef`, `tokenExpirationSeconds`. An empty value, a boolean and null hide nothing.

use crate::model::field_path::{FieldPath, Segment};
use crate::model::{Glob, Number, Value};
use std::sync::{Arc, RwLock};

/// The user's own rules: names of fields, or printed paths if they begin with a dot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MaskRules(pub Vec<Glob>);

static RULES: RwLock<Option<Arc<MaskRules>>> = RwLock::new(None);

/// Puts the user's own rules in force, for every output of this process, in place of those before.
///
/// They are kept here so that no output can forget to ask for them.
pub fn use_mask_rules(rules: MaskRules) {
    let mut current = RULES.write().unwrap_or_else(std::sync::PoisonError::into_inner);
    *current = Some(Arc::new(rules));
}

fn rules() -> Option<Arc<MaskRules>> {
    RULES.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
}

/// Returns whether the scalar at a path is masked in every output. A map or list is never masked as a whole.
pub fn is_masked(path: &FieldPath, value: &Value) -> bool {
    let text = match value {
        Value::Sealed(_) => return true,
        Value::String(text) if !text.is_empty() => text.clone(),
        Value::Number(number @ (Number::Int(_) | Number::UInt(_) | Number::Float(_))) => number.to_string(),
        _ => return false,
    };
    is_named_secret(path) || looks_secret(&text) || rules().is_some_and(|rules| rules.cover(path))
}

impl MaskRules {
    fn cover(&self, path: &FieldPath) -> bool {
        let printed = path.to_string();
        let last = path.last_field().unwrap_or_default();
        self.0.iter().any(|rule| rule.matches(if rule.as_str().starts_with('.') { &printed } else { last }))
    }
}

/// Returns whether the field, or the environment variable that a `value` belongs to, is named like a secret.
fn is_named_secret(path: &FieldPath) -> bool {
    let Some((last, before)) = path.0.split_last() else { return false };
    match last {
        Segment::Field(field) if field == "value" => before.last().is_some_and(|item| match item {
            Segment::Keys(keys) => {
                keys.iter().any(|(key, value)| key == "name" && value.0.as_str().is_some_and(is_secret_name))
            }
            _ => false,
        }),
        Segment::Field(field) => is_secret_name(field) && !names_a_key(path),
        // An item of a list takes the list's name: `passwords: [a]` does not, `password: [a]` does.
        Segment::Index(_) | Segment::Item(_) => {
            before.last().is_some_and(|list| matches!(list, Segment::Field(name) if is_secret_name(name)))
        }
        Segment::Keys(_) => false,
    }
}

/// Returns whether a path is `.spec.data[…].secretKey` of an ExternalSecret, which names a key of a Secret.
fn names_a_key(path: &FieldPath) -> bool {
    let field =
        |at: usize, wanted: &str| matches!(path.0.get(at), Some(Segment::Field(name)) if name == wanted);
    path.0.len() == 4 && field(0, "spec") && field(1, "data") && field(3, "secretKey")
}

/// Returns whether a name says that its value is a secret, judged by its last words.
fn is_secret_name(name: &str) -> bool {
    const ALONE: [&str; 10] = [
        "password",
        "passwd",
        "passphrase",
        "pwd",
        "token",
        "apikey",
        "apitoken",
        "secretkey",
        "privatekey",
        "authtoken",
    ];
    const BEFORE_KEY: [&str; 9] =
        ["api", "secret", "private", "access", "encryption", "signing", "master", "license", "session"];
    // `tlsSecret`, `existingSecret` and the like name a Secret.
    const BEFORE_SECRET: [&str; 13] = [
        "client",
        "app",
        "application",
        "consumer",
        "shared",
        "webhook",
        "hmac",
        "jwt",
        "cookie",
        "session",
        "oauth",
        "auth",
        "signing",
    ];
    let words = words_of(name);
    let Some((last, before)) = words.split_last() else { return false };
    let previous = before.last().map_or("", String::as_str);
    let is_variable = name.chars().all(|c| !c.is_lowercase());
    match last.as_str() {
        "key" => BEFORE_KEY.contains(&previous),
        "secret" => before.is_empty() || is_variable || BEFORE_SECRET.contains(&previous),
        "credential" | "credentials" => true,
        last => ALONE.contains(&last),
    }
}

/// Splits a name at changes of case and at everything that is no letter or digit, in lower case.
fn words_of(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut starts = true;
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() {
            starts = true;
            continue;
        }
        if starts || (was_lower && c.is_uppercase()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
        starts = false;
        was_lower = c.is_lowercase() || c.is_numeric();
    }
    words
}

/// Returns whether a text is, or holds, a secret by its own shape.
fn looks_secret(text: &str) -> bool {
    is_private_key(text)
        || holds_json_web_token(text)
        || holds_password_in_url(text)
        || holds_known_token(text)
        || is_authorization(text)
        || text.lines().any(assigns_secret)
}

fn is_private_key(text: &str) -> bool {
    text.match_indices("-----BEGIN ").any(|(at, begin)| {
        let kind = text[at + begin.len()..].split("-----").next().unwrap_or_default();
        kind.ends_with("PRIVATE KEY") || kind.ends_with("PRIVATE KEY BLOCK")
    })
}

/// Returns whether a text holds three parts of base64url with dots between, of which the first begins a JSON object.
fn holds_json_web_token(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '=');
    text.split(|c: char| !is_part(c) && c != '.').any(|word| {
        let parts: Vec<&str> = word.split('.').collect();
        parts.windows(3).any(|three| three[0].starts_with("eyJ") && three.iter().all(|part| part.len() >= 8))
    })
}

/// Returns whether a text holds a URL with a password, or for the web with any user part.
fn holds_password_in_url(text: &str) -> bool {
    text.match_indices("://").any(|(at, mark)| {
        let rest = &text[at + mark.len()..];
        let end =
            rest.find(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '>'));
        let authority = &rest[..end.unwrap_or(rest.len())];
        let Some((user, _)) = authority.rsplit_once('@') else { return false };
        let is_web = text[..at].ends_with("http") || text[..at].ends_with("https");
        match user.split_once(':') {
            Some((_, password)) => !password.is_empty() && !is_reference(password),
            None => is_web && !user.is_empty() && !is_reference(user),
        }
    })
}

fn holds_known_token(text: &str) -> bool {
    const PREFIXES: [&str; 12] = [
        "ghp_",
        "gho_",
        "ghs_",
        "ghu_",
        "github_pat_",
        "glpat-",
        "xoxb-",
        "xoxp-",
        "xoxa-",
        "sk_live_",
        "npm_",
        "hvs.",
    ];
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.split(|c: char| !is_part(c))
        .any(|word| word.len() >= 20 && PREFIXES.iter().any(|prefix| word.starts_with(prefix)))
}

fn is_authorization(text: &str) -> bool {
    let value = text.trim().strip_prefix("Authorization:").unwrap_or(text).trim();
    ["Bearer ", "Basic "].iter().any(|scheme| {
        value.strip_prefix(scheme).is_some_and(|rest| {
            let rest = rest.trim();
            rest.len() >= 8 && !rest.contains(char::is_whitespace) && !is_reference(rest)
        })
    })
}

/// Returns whether a line of a text, or an argument, gives a value to a secret's name: `password: x`, `--token=x`.
fn assigns_secret(line: &str) -> bool {
    let line = line.trim();
    if line.starts_with('#') {
        return false;
    }
    line.match_indices(['=', ':']).take(8).any(|(at, _)| {
        let (name, value) = (&line[..at], &line[at + 1..]);
        let name = name.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\''));
        let start = name
            .rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')))
            .map_or(0, |at| at + 1);
        let name = name.get(start..).unwrap_or(name);
        let value = value.trim();
        // Prose: `the password: it is used for …`.
        let is_prose = line[at..].starts_with(':') && !value.starts_with(['"', '\'']) && value.contains(' ');
        let value = value.trim_matches(|c| matches!(c, '"' | '\'' | ',' | ';'));
        let says_nothing =
            matches!(value, "" | "~" | "null" | "true" | "false" | "|" | ">" | "|-" | ">-" | "{" | "[");
        !is_prose && !says_nothing && is_secret_name(name) && !is_reference(value)
    })
}

/// Returns whether a text only refers to a value: `$(NAME)`, `${NAME}`, `{{ .Values.x }}`, `<name>`.
fn is_reference(text: &str) -> bool {
    text.starts_with('$') || text.starts_with("{{") || (text.starts_with('<') && text.ends_with('>'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    fn masked(path: &str, value: &Value) -> bool {
        is_masked(&FieldPath::parse(path).unwrap(), value)
    }

    #[test]
    fn values_are_masked_by_the_name_of_their_field_or_variable() {
        for path in [
            ".spec.password",
            ".spec.adminPassword",
            ".data.DB_PASSWORD",
            ".spec.auth.token",
            ".spec.apiKey",
            ".spec.api_key",
            ".spec.oauth.clientSecret",
            ".spec.secret",
            ".data.AWS_SECRET_ACCESS_KEY",
            ".data.privateKey",
            ".data.credentials",
            r#".spec.template.spec.containers[name="app"].env[name="API_TOKEN"].value"#,
            r#".spec.template.spec.containers[name="app"].env[name="STRIPE_SECRET"].value"#,
        ] {
            assert!(masked(path, &value!("hunter2")), "{path}");
            assert!(!masked(path, &value!("")), "{path}: empty");
            assert!(!masked(path, &value!(true)), "{path}: boolean");
        }
        assert!(masked(".spec.password", &value!(1234)));
    }

    #[test]
    fn what_only_names_a_secret_is_shown() {
        for path in [
            ".spec.secretName",
            ".spec.volumes[name=\"v\"].secret.secretName",
            r#".spec.containers[name="a"].env[name="PASSWORD"].valueFrom.secretKeyRef.name"#,
            r#".spec.containers[name="a"].env[name="PASSWORD"].valueFrom.secretKeyRef.key"#,
            r#".spec.containers[name="a"].env[name="PASSWORD"].name"#,
            r#".spec.containers[name="a"].env[name="TOKEN_URL"].value"#,
            ".spec.tokenExpirationSeconds",
            ".spec.volumes[0].projected.sources[0].serviceAccountToken.audience",
            ".spec.passwordSecretRef",
            ".spec.existingSecret",
            ".spec.tlsSecret",
            ".spec.imagePullSecrets[0].name",
            ".spec.data[0].secretKey",
            ".spec.maxTokens",
            ".spec.passwordKey",
            ".metadata.annotations.checksum/secret",
            ".spec.bearerTokenFile",
            ".kind",
        ] {
            assert!(!masked(path, &value!("some-name")), "{path}");
        }
    }

    #[test]
    fn values_are_masked_by_their_shape() {
        for text in [
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
            "-----BEGIN OPENSSH PRIVATE KEY-----",
            "x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl y",
            "postgres://app:hunter2@db:5432/app",
            "see https://x-token@git.example.com/r",
            "ghp_0123456789abcdefghijklmnop",
            "Bearer 0123456789abcdef",
            "--password=hunter2",
            "log: info\ndb:\n  password: hunter2\n",
            "{\"token\": \"abc\"}",
            "url=x;Password=hunter2;",
        ] {
            assert!(masked(".spec.x", &value!(text)), "{text}");
        }
        for text in [
            "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
            "ssh://git@git.example.com/r",
            "https://git.example.com/a@b",
            "postgres://app:$(PASSWORD)@db/app",
            "--password=$(PASSWORD)",
            "--token-file=/var/run/token",
            "password: ${DB_PASSWORD}\n",
            "# password: x\n",
            "the token is rotated daily",
            "Username and password: they are read once.",
            "Bearer tokens are used",
            "a.b.c",
            "nginx:1.27@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        ] {
            assert!(!masked(".spec.x", &value!(text)), "{text}");
        }
    }

    #[test]
    fn rules_of_the_user_match_names_and_paths() {
        let rules = ["pin", ".data.lic*nse", "*_dsn", "key?"];
        let rules = MaskRules(rules.into_iter().map(Glob::new).collect());
        let covers = |path: &str| rules.cover(&FieldPath::parse(path).unwrap());
        assert!(covers(".spec.PIN") && covers(".data.license") && covers(".data.app_dsn"));
        assert!(covers(".data.key1") && !covers(".data.key") && !covers(".data.key10"));
        assert!(!covers(".spec.pins") && !covers(".spec.license") && !covers(".data.dsn"));
    }
}
