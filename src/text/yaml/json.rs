//! Defines how JSON is read: as Go's `encoding/json` does, with lines and duplicate keys.
//!
//! What differs from a strict reader is taken from Go: bytes that are no UTF-8 and lone halves of surrogate pairs become
//! U+FFFD. Numbers are read as Kubernetes reads them: an integer of 64 bits, else a float.

use super::error::Fault;
use super::{Decoded, Refused, duplicate_key};
use crate::model::field_path::{FieldPath, Segment};
use crate::model::limits;
use crate::model::manifest::{FieldLines, Problem};
use crate::model::value::map_of;
use crate::model::{Number, Value};
use std::collections::HashSet;

/// Reads the value that the bytes begin with, and returns it with the number of bytes that it takes.
///
/// The inner error is a number too large: it is JSON all the same, as Kubernetes converts numbers only afterwards.
pub(super) fn read_value(
    bytes: &[u8],
    first_line: usize,
) -> Result<(Result<Decoded, Refused>, usize), Refused> {
    let line = u32::try_from(first_line).unwrap_or(u32::MAX);
    let mut reader =
        Reader { bytes, at: 0, line, path: Vec::new(), problems: Vec::new(), values: 0, too_large: None };
    let (value, lines) = reader.value()?;
    let decoded = Decoded { value, lines, problems: reader.problems };
    Ok((reader.too_large.map_or(Ok(decoded), Err), reader.at))
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u32,
    path: Vec<Segment>,
    problems: Vec<Problem>,
    values: usize,
    too_large: Option<Refused>,
}

impl Reader<'_> {
    fn value(&mut self) -> Result<(Value, FieldLines), Refused> {
        self.values += 1;
        if self.values > limits::DOCUMENT_NODES {
            return Err(self.refused(Fault::TooManyValues));
        }
        if self.path.len() > limits::DOCUMENT_DEPTH {
            return Err(self.refused(Fault::TooDeep));
        }
        self.skip_blank();
        let mut lines = FieldLines { line: self.line, children: Vec::new() };
        let value = match self.peek() {
            Some(b'{') => self.map(&mut lines)?,
            Some(b'[') => self.list(&mut lines)?,
            Some(b'"') => Value::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            Some(_) => return Err(self.wrong("a value is expected here")),
            None => return Err(self.wrong("it ends too early")),
        };
        Ok((value, lines))
    }

    fn map(&mut self, lines: &mut FieldLines) -> Result<Value, Refused> {
        let mut map = Vec::new();
        let mut names = HashSet::new();
        self.at += 1;
        self.skip_blank();
        if self.take(b'}') {
            return Ok(Value::Map(map_of(map)));
        }
        loop {
            self.skip_blank();
            let line = self.line;
            if self.peek() != Some(b'"') {
                return Err(self.wrong("a key in double quotes is expected here"));
            }
            let key = self.string()?;
            self.skip_blank();
            if !self.take(b':') {
                return Err(self.wrong("a `:` is expected behind a key"));
            }
            self.path.push(Segment::Field(key.clone()));
            if !names.insert(key.clone()) {
                self.problems.push(duplicate_key(&FieldPath(self.path.clone()), line));
            }
            let (value, mut at) = self.value()?;
            self.path.pop();
            at.line = line;
            lines.children.push((key.clone(), at));
            map.push((key, value));
            self.skip_blank();
            if self.take(b'}') {
                return Ok(Value::Map(map_of(map)));
            }
            if !self.take(b',') {
                return Err(self.wrong("a `,` or `}` is expected behind a value"));
            }
        }
    }

    fn list(&mut self, lines: &mut FieldLines) -> Result<Value, Refused> {
        let mut list = Vec::new();
        self.at += 1;
        self.skip_blank();
        if self.take(b']') {
            return Ok(Value::List(list));
        }
        loop {
            self.path.push(Segment::Index(list.len()));
            let (value, at) = self.value()?;
            self.path.pop();
            lines.children.push((list.len().to_string(), at));
            list.push(value);
            self.skip_blank();
            if self.take(b']') {
                return Ok(Value::List(list));
            }
            if !self.take(b',') {
                return Err(self.wrong("a `,` or `]` is expected behind a value"));
            }
        }
    }

    fn string(&mut self) -> Result<String, Refused> {
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            let plain =
                self.rest().iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f)).count();
            bytes.extend_from_slice(&self.rest()[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(String::from_utf8(bytes)
                        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()));
                }
                Some(b'\\') => {
                    let c = self.escape()?;
                    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Some(_) => return Err(self.wrong("a string holds a bare control character")),
                None => return Err(self.wrong("a string is not closed")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Refused> {
        let escaped = self.bytes.get(self.at + 1).copied();
        self.at = (self.at + 2).min(self.bytes.len());
        Ok(match escaped {
            Some(c @ (b'"' | b'\\' | b'/')) => c.into(),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let first = self.four_digits()?;
                let second = (0xd800..0xdc00).contains(&first).then(|| self.low_surrogate()).flatten();
                let code =
                    second.map_or(first, |second| 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00));
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return Err(self.wrong("an unknown escape in a string")),
        })
    }

    fn four_digits(&mut self) -> Result<u32, Refused> {
        let code = self.rest().get(..4).and_then(hexadecimal);
        let Some(code) = code else { return Err(self.wrong("`\\u` wants four hexadecimal digits")) };
        self.at += 4;
        Ok(code)
    }

    /// Takes the second half of a surrogate pair, if that is what follows.
    fn low_surrogate(&mut self) -> Option<u32> {
        let digits = self.rest().strip_prefix(b"\\u")?.get(..4)?;
        let code = hexadecimal(digits).filter(|code| (0xdc00..0xe000).contains(code))?;
        self.at += 6;
        Some(code)
    }

    fn number(&mut self) -> Result<Value, Refused> {
        let length = self
            .rest()
            .iter()
            .take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
            .count();
        let text = String::from_utf8_lossy(&self.rest()[..length]).into_owned();
        if !is_json_number(&text) {
            return Err(self.wrong("a number is not written as JSON wants it"));
        }
        let number = match text.parse::<i64>() {
            Ok(int) => Number::Int(int),
            Err(_) => match text.parse::<f64>() {
                Ok(float) if float.is_finite() => Number::Float(float),
                _ => {
                    self.too_large = Some(self.wrong("a number is too large"));
                    Number::Int(0)
                }
            },
        };
        self.at += length;
        Ok(Value::Number(number))
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Refused> {
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(self.wrong("a value is expected here"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn skip_blank(&mut self) {
        while let Some(blank @ (b' ' | b'\t' | b'\r' | b'\n')) = self.peek() {
            self.at += 1;
            self.line += u32::from(blank == b'\n');
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn wrong(&self, what: &'static str) -> Refused {
        self.refused(Fault::Json { what })
    }

    fn refused(&self, fault: Fault) -> Refused {
        Refused::at(self.line, fault)
    }
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |code, digit| Some(code * 16 + char::from(*digit).to_digit(16)?))
}

/// Returns whether a text is `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?`.
fn is_json_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}
