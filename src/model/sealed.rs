//! Defines sealed values: what is secret is wrapped when it is read and cannot be printed, logged, serialised or copied.
//!
//! A sealed leaf compares by its bytes in constant time, and shows only a fingerprint keyed by the run, the object and
//! the path, so that equal values in two places or two runs cannot be told. Only a holder of an [`Opener`] reads the
//! bytes; the layer test names the files that may make one (the writers to a cluster, and `render --show-secrets`).

use super::field_path::FieldPath;
use super::id::GroupKind;
use super::value::Value;
use base64::Engine as _;
use std::fmt;
use std::sync::{Arc, OnceLock};
use zeroize::Zeroizing;

/// The annotation in which kubectl's client-side apply keeps what it applied.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A secret leaf.
///
/// It cannot be copied, printed or serialised, and nobody outside reads its bytes:
///
/// ```compile_fail,E0277
/// fn copied<T: Clone>() {}
/// copied::<driftdeck::model::Sealed>();
/// ```
/// ```compile_fail,E0277
/// fn printed<T: std::fmt::Display>() {}
/// printed::<driftdeck::model::Sealed>();
/// ```
/// ```compile_fail,E0277
/// fn serialised<T: serde::Serialize>() {}
/// serialised::<driftdeck::model::Value>();
/// ```
/// ```compile_fail,E0616
/// let sealed = driftdeck::model::Sealed::text("canary".to_owned());
/// let _ = &sealed.plain;
/// ```
/// ```compile_fail,E0624
/// let _ = driftdeck::model::Opener::new();
/// ```
pub struct Sealed {
    /// What stood in the document, to be written to an API server unchanged.
    raw: Zeroizing<String>,
    /// What it means: decoded from base64 where the field is declared so.
    plain: Zeroizing<Vec<u8>>,
}

/// The right to read sealed bytes.
pub struct Opener(());

impl Opener {
    /// Makes an opener. Only the writers to a cluster and `render --show-secrets` may call this; the layer test looks.
    pub(crate) fn new() -> Self {
        Self(())
    }
}

/// The random key of this run, with which fingerprints are made.
pub struct RunKey([u8; 32]);

impl RunKey {
    /// Returns the key of this run, drawn from the system's random source at the first call.
    pub fn of_this_run() -> &'static RunKey {
        static KEY: OnceLock<RunKey> = OnceLock::new();
        KEY.get_or_init(|| {
            let mut key = [0_u8; 32];
            if getrandom::fill(&mut key).is_err() {
                // Without a random source a fingerprint could be guessed: derive from addresses and thread instead of a constant.
                let seed =
                    format!("{:p}{:?}{:?}", &raw const key, std::thread::current().id(), std::process::id());
                key = *blake3::hash(seed.as_bytes()).as_bytes();
            }
            RunKey(key)
        })
    }
}

impl Sealed {
    /// Seals text that is the value itself (`stringData`, an annotation).
    pub fn text(raw: String) -> Arc<Self> {
        let plain = Zeroizing::new(raw.clone().into_bytes());
        Arc::new(Self { raw: Zeroizing::new(raw), plain })
    }

    /// Seals base64 text (`data`). Text that is no base64 stands for itself.
    pub fn base64(raw: String) -> Arc<Self> {
        let compact: Zeroizing<Vec<u8>> =
            Zeroizing::new(raw.bytes().filter(|b| !b.is_ascii_whitespace()).collect());
        let plain = base64::engine::general_purpose::STANDARD
            .decode(&*compact)
            .unwrap_or_else(|_| raw.clone().into_bytes());
        Arc::new(Self { raw: Zeroizing::new(raw), plain: Zeroizing::new(plain) })
    }

    /// Returns whether two sealed leaves mean the same bytes, in time that depends on their lengths only.
    pub fn same(&self, other: &Sealed) -> bool {
        let equal_bytes = self.plain.iter().zip(other.plain.iter()).fold(0_u8, |acc, (a, b)| acc | (a ^ b));
        self.plain.len() == other.plain.len() && equal_bytes == 0
    }

    /// Returns whether the sealed value is empty.
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty()
    }

    /// Returns the fingerprint to show: 16 hexadecimal digits keyed by this run, the object and the path.
    pub fn fingerprint(&self, object: &str, path: &FieldPath) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&RunKey::of_this_run().0);
        hasher.update(object.as_bytes());
        hasher.update(&[0]);
        hasher.update(path.to_string().as_bytes());
        hasher.update(&[0]);
        hasher.update(&self.plain);
        hasher.finalize().to_hex()[..16].to_owned()
    }

    /// Returns what stood in the document.
    pub fn open(&self, _: &Opener) -> &str {
        &self.raw
    }

    /// Returns the same bytes as a leaf that is written in base64, as a Secret's `data` wants them.
    pub fn to_base64(&self) -> Arc<Self> {
        Self::base64(base64::engine::general_purpose::STANDARD.encode(&*self.plain))
    }

    /// Returns the base64 text of the bytes, as a Secret's `data` wants them.
    pub fn open_base64(&self, _: &Opener) -> Zeroizing<String> {
        Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(&*self.plain))
    }
}

impl PartialEq for Sealed {
    fn eq(&self, other: &Self) -> bool {
        self.same(other)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<sealed>")
    }
}

/// Seals what is secret in an object: for a Secret its `data`, `stringData` and last-applied annotation.
///
/// `stringData` stays a field of its own here; the comparison folds it into `data`, as the API server does. Anything
/// that is no scalar inside `data` is left for validation to refuse, with its leaves sealed.
pub fn seal_object(kind: &GroupKind, body: &mut Value) {
    if !kind.is_secret() {
        return;
    }
    let Some(object) = body.as_map_mut() else { return };
    for (field, decode) in [("data", true), ("stringData", false)] {
        if let Some(value) = object.get_mut(field) {
            seal_leaves(value, decode);
        }
    }
    if let Some(annotations) = object
        .get_mut("metadata")
        .and_then(Value::as_map_mut)
        .and_then(|m| m.get_mut("annotations"))
        .and_then(Value::as_map_mut)
        && let Some(last_applied) = annotations.get_mut(LAST_APPLIED)
    {
        seal_leaves(last_applied, false);
    }
}

fn seal_leaves(value: &mut Value, decode: bool) {
    match value {
        Value::String(text) => {
            let text = std::mem::take(text);
            *value = Value::Sealed(if decode { Sealed::base64(text) } else { Sealed::text(text) });
        }
        Value::Number(n) => *value = Value::Sealed(Sealed::text(n.to_string())),
        Value::Bool(b) => *value = Value::Sealed(Sealed::text(b.to_string())),
        Value::List(items) => items.iter_mut().for_each(|item| seal_leaves(item, decode)),
        Value::Map(fields) => fields.iter_mut().for_each(|(_, field)| seal_leaves(field, decode)),
        Value::Null | Value::Sealed(_) => {}
    }
}

/// Opens every sealed leaf of a value into plain JSON, for the writer to an API server.
pub fn open_value(value: &Value, opener: &Opener) -> serde_json::Value {
    to_json(value, &|sealed| sealed.open(opener).into())
}

/// Returns a value as plain JSON in which every sealed leaf is an empty text.
pub fn without_secrets(value: &Value) -> serde_json::Value {
    to_json(value, &|_| "".into())
}

fn to_json(value: &Value, leaf: &impl Fn(&Sealed) -> serde_json::Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(b) => (*b).into(),
        Value::Number(n) => number_to_json(*n),
        Value::String(s) => s.clone().into(),
        Value::List(l) => l.iter().map(|item| to_json(item, leaf)).collect(),
        Value::Map(m) => {
            serde_json::Value::Object(m.iter().map(|(k, v)| (k.clone(), to_json(v, leaf))).collect())
        }
        Value::Sealed(sealed) => leaf(sealed),
    }
}

/// Returns a number as JSON; what JSON cannot say (NaN, infinity) is null.
pub fn number_to_json(number: super::value::Number) -> serde_json::Value {
    match number {
        super::value::Number::Int(i) => i.into(),
        super::value::Number::UInt(u) => u.into(),
        super::value::Number::Float(x) => {
            serde_json::Number::from_f64(x).map_or(serde_json::Value::Null, Into::into)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn a_secret_is_sealed_in_data_string_data_and_last_applied() {
        let mut body = value!({
            "kind": "Secret",
            "metadata": {"name": "s", "annotations": {LAST_APPLIED: "{\"data\":{\"p\":\"Y2FuYXJ5\"}}", "note": "seen"}},
            "data": {"p": "Y2FuYXJ5"}, "stringData": {"q": "canary"}
        });
        seal_object(&GroupKind::new("", "Secret"), &mut body);
        let shown = format!("{body:?}");
        assert!(!shown.contains("canary") && !shown.contains("Y2FuYXJ5"), "{shown}");
        assert!(shown.contains("seen"));
        assert_eq!(
            body.at(&["data", "p"]),
            body.at(&["stringData", "q"]),
            "base64 and plain text mean the same bytes"
        );
    }

    #[test]
    fn a_fingerprint_depends_on_object_and_path_and_value() {
        let (a, b) = (Sealed::text("one".into()), Sealed::text("two".into()));
        let (p, q) = (FieldPath::parse(".data.p").unwrap(), FieldPath::parse(".data.q").unwrap());
        assert_eq!(a.fingerprint("Secret/s", &p), Sealed::base64("b25l".into()).fingerprint("Secret/s", &p));
        assert_ne!(a.fingerprint("Secret/s", &p), b.fingerprint("Secret/s", &p));
        assert_ne!(a.fingerprint("Secret/s", &p), a.fingerprint("Secret/s", &q));
        assert_ne!(a.fingerprint("Secret/s", &p), a.fingerprint("Secret/t", &p));
    }
}
