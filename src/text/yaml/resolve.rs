//! Defines what a scalar means: the types of YAML 1.1 as go-yaml v2 resolves them, and the numbers of JSON.
//!
//! Source: go-yaml v2, `resolve.go` and `decode.go`; `sigs.k8s.io/yaml`, `convertToJSONableObject`; Go's
//! `encoding/json` and `strconv` for how numbers are written and read again on their way through JSON.

use super::error::Fault;
use crate::model::{Number, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const NULL: &str = "tag:yaml.org,2002:null";
const BOOL: &str = "tag:yaml.org,2002:bool";
const INT: &str = "tag:yaml.org,2002:int";
const FLOAT: &str = "tag:yaml.org,2002:float";
const TIMESTAMP: &str = "tag:yaml.org,2002:timestamp";
const BINARY: &str = "tag:yaml.org,2002:binary";
pub(super) const MERGE: &str = "tag:yaml.org,2002:merge";

/// A scalar's meaning, in go-yaml's types.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    /// Only what is too large for [`Scalar::Int`].
    Uint(u64),
    Float(f64),
    /// A string that is a date, which matters for `!!timestamp` only.
    Timestamp(String),
    Text(String),
}

/// Resolves a scalar. `implicit`: it was written plain.
pub(super) fn resolve(text: &str, tag: Option<&str>, implicit: bool) -> Result<Scalar, Fault> {
    let Some(tag) = tag.filter(|tag| !tag.is_empty()) else {
        return Ok(if implicit { by_its_text(text) } else { Scalar::Text(text.to_owned()) });
    };
    let not_as_tagged = |tag| Err(Fault::NotAsTagged { tag });
    match tag {
        BINARY => binary(text).map(Scalar::Text).ok_or(Fault::NotAsTagged { tag: "!!binary" }),
        NULL => match by_its_text(text) {
            Scalar::Null => Ok(Scalar::Null),
            _ => not_as_tagged("!!null"),
        },
        BOOL => match by_its_text(text) {
            Scalar::Bool(b) => Ok(Scalar::Bool(b)),
            _ => not_as_tagged("!!bool"),
        },
        INT => match by_its_text(text) {
            number @ (Scalar::Int(_) | Scalar::Uint(_)) => Ok(number),
            _ => not_as_tagged("!!int"),
        },
        #[allow(clippy::cast_precision_loss)] // as go-yaml converts it
        FLOAT => match by_its_text(text) {
            Scalar::Int(i) => Ok(Scalar::Float(i as f64)),
            Scalar::Float(x) => Ok(Scalar::Float(x)),
            _ => not_as_tagged("!!float"),
        },
        TIMESTAMP => match by_its_text(text) {
            Scalar::Timestamp(text) => Ok(Scalar::Text(text)),
            _ => not_as_tagged("!!timestamp"),
        },
        // `!!str` and tags that are not known make a string of anything.
        _ => Ok(Scalar::Text(text.to_owned())),
    }
}

/// Returns whether a text that is written plain reads back as that text.
pub(super) fn is_plain_text(text: &str) -> bool {
    matches!(by_its_text(text), Scalar::Text(_))
}

/// Resolves a plain scalar.
fn by_its_text(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Scalar::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let number = match text.as_bytes()[0] {
        // Go's ParseFloat takes an underscore between two digits.
        b'.' if underscores_separate_digits(text) => float(&text.replace('_', "")),
        b'+' | b'-' | b'0'..=b'9' => {
            if is_timestamp(text) {
                return Scalar::Timestamp(text.to_owned());
            }
            let plain = text.replace('_', "");
            integer(&plain).or_else(|| float(&plain)).or_else(|| odd_binary(&plain))
        }
        _ => None,
    };
    number.unwrap_or_else(|| Scalar::Text(text.to_owned()))
}

/// Reads an integer as Go's `strconv.ParseInt(text, 0, 64)` does, then `ParseUint`.
fn integer(text: &str) -> Option<Scalar> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'+' => (Some('+'), text.get(1..)?),
        b'-' => (Some('-'), text.get(1..)?),
        _ => (None, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (digits, base) = if let Some(hex) = lower.strip_prefix("0x").filter(|rest| !rest.is_empty()) {
        (hex, 16)
    } else if let Some(bits) = lower.strip_prefix("0b").filter(|rest| !rest.is_empty()) {
        (bits, 2)
    } else if let Some(octal) = lower.strip_prefix("0o").filter(|rest| !rest.is_empty()) {
        (octal, 8)
    } else if let Some(octal) = lower.strip_prefix('0').filter(|rest| !rest.is_empty()) {
        (octal, 8)
    } else {
        (lower.as_str(), 10)
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let size = u64::from_str_radix(digits, base).ok()?;
    match sign {
        Some('-') => 0_i64.checked_sub_unsigned(size).map(Scalar::Int),
        sign => match i64::try_from(size) {
            Ok(int) => Some(Scalar::Int(int)),
            Err(_) if sign.is_none() => Some(Scalar::Uint(size)),
            Err(_) => None,
        },
    }
}

/// Reads `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`; what is too large for a float is none.
fn float(text: &str) -> Option<Scalar> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa_fits =
        all_digits(whole) && all_digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    let exponent_fits = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && all_digits(digits)
    });
    let number: f64 = (mantissa_fits && exponent_fits).then(|| text.parse().ok()).flatten()?;
    number.is_finite().then_some(Scalar::Float(number))
}

fn underscores_separate_digits(text: &str) -> bool {
    let is_digit = |at: Option<&u8>| at.is_some_and(u8::is_ascii_digit);
    let bytes = text.as_bytes();
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_').all(|(at, _)| {
        is_digit(at.checked_sub(1).and_then(|before| bytes.get(before))) && is_digit(bytes.get(at + 1))
    })
}

/// Reads what go-yaml takes for binary digits after `integer` refused it: a sign behind the prefix, as in `0b-1`.
fn odd_binary(text: &str) -> Option<Scalar> {
    i64::from_str_radix(text.strip_prefix("0b")?, 2).ok().map(Scalar::Int)
}

/// Decodes base64 as Go does: line breaks do not count, anything else must be there. What is no UTF-8 becomes U+FFFD,
/// as on its way through JSON.
fn binary(text: &str) -> Option<String> {
    let compact: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    STANDARD.decode(compact).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns whether go-yaml takes a text for a timestamp: `2006-1-2`, or that with `T`, `t` or a space and `15:4:5.999`,
/// and behind `T` and `t` a zone.
fn is_timestamp(text: &str) -> bool {
    fn number(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<(u32, &str)> {
        let end = text.bytes().take_while(u8::is_ascii_digit).count().min(*digits.end());
        let (number, rest) = text.split_at(end);
        if digits.contains(&end) { Some((number.parse().ok()?, rest)) } else { None }
    }
    fn date(text: &str) -> Option<&str> {
        let (year, rest) = number(text, 4..=4)?;
        let (month, rest) = number(rest.strip_prefix('-')?, 1..=2)?;
        let (day, rest) = number(rest.strip_prefix('-')?, 1..=2)?;
        let date = jiff::civil::Date::new(
            i16::try_from(year).ok()?,
            i8::try_from(month).ok()?,
            i8::try_from(day).ok()?,
        );
        date.is_ok().then_some(rest)
    }
    fn time(text: &str) -> Option<&str> {
        let (hour, rest) = number(text, 1..=2)?;
        let (minute, rest) = number(rest.strip_prefix(':')?, 1..=2)?;
        let (second, rest) = number(rest.strip_prefix(':')?, 1..=2)?;
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let Some(fraction) = rest.strip_prefix(['.', ',']) else { return Some(rest) };
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 { None } else { fraction.get(digits..) }
    }
    fn zone(text: &str) -> bool {
        let Some(offset) = text.strip_prefix(['+', '-']) else { return text == "Z" };
        let two = |digits: Option<&str>, most: u32| {
            digits.is_some_and(|digits| {
                digits.bytes().all(|byte| byte.is_ascii_digit())
                    && digits.parse::<u32>().is_ok_and(|number| number <= most)
            })
        };
        offset.len() == 5
            && offset.as_bytes()[2] == b':'
            && two(offset.get(..2), 24)
            && two(offset.get(3..), 60)
    }
    let Some(rest) = date(text) else { return false };
    match rest.as_bytes().first() {
        None => true,
        Some(b'T' | b't') => time(&rest[1..]).is_some_and(zone),
        Some(b' ') => time(&rest[1..]).is_some_and(str::is_empty),
        Some(_) => false,
    }
}

impl Scalar {
    /// Returns the value that arrives after the way through JSON: integers that fit stay integers, others are floats.
    pub fn into_value(self) -> Result<Value, Fault> {
        Ok(match self {
            Scalar::Null => Value::Null,
            Scalar::Bool(b) => Value::Bool(b),
            Scalar::Int(i) => Value::int(i),
            #[allow(clippy::cast_precision_loss)] // as the JSON reader of Kubernetes reads it
            Scalar::Uint(u) => Value::Number(Number::Float(u as f64)),
            Scalar::Float(x) if x.is_nan() => return Err(Fault::NotInJson { what: "not-a-number" }),
            Scalar::Float(x) if x.is_infinite() => return Err(Fault::NotInJson { what: "infinity" }),
            Scalar::Float(x) => Value::Number(float_through_json(x)),
            Scalar::Timestamp(text) | Scalar::Text(text) => Value::String(text),
        })
    }

    /// Returns the scalar as a key of a JSON object.
    pub fn into_key(self) -> Result<String, Fault> {
        Ok(match self {
            Scalar::Null => return Err(Fault::ValueAsKey { what: "null" }),
            Scalar::Uint(_) => return Err(Fault::ValueAsKey { what: "an integer of more than 63 bits" }),
            Scalar::Bool(b) => b.to_string(),
            Scalar::Int(i) => i.to_string(),
            Scalar::Float(x) => float_key(x),
            Scalar::Timestamp(text) | Scalar::Text(text) => text,
        })
    }
}

/// Returns what becomes of a float that Go writes as JSON and Kubernetes reads again: below 1e21 it is written without
/// an exponent, so that a whole number arrives as an integer where it fits.
fn float_through_json(x: f64) -> Number {
    if x.fract() == 0.0 && x.abs() < 1e21 {
        // Rust prints the shortest digits without an exponent too.
        x.to_string().parse().map_or(Number::Float(x), Number::Int)
    } else {
        Number::Float(x)
    }
}

/// Prints a float as Go's `strconv.FormatFloat(x, 'g', -1, 32)`: the shortest digits of a 32-bit float, with an
/// exponent below 1e-4 and from 1e6 on.
fn float_key(x: f64) -> String {
    #[allow(clippy::cast_possible_truncation)] // the source formats with 32 bits
    let x = x as f32;
    if x.is_nan() {
        return ".nan".to_owned();
    }
    if x.is_infinite() {
        return if x > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let scientific = format!("{x:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if x != 0.0 && !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{mantissa}e{sign}{:02}", exponent.abs())
    } else {
        x.to_string()
    }
}
