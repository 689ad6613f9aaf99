//! Defines when two scalars of one type mean the same: quantities, durations, times and base64 have many spellings.

use crate::model::schema::Shape;
use crate::model::{FieldPath, GroupVersionKind, Number, Schema, Segment, Value};
use base64::Engine as _;
use std::cmp::Ordering;

/// Returns whether two values at a path of a kind are one in two spellings (`1` and `1000m` where a custom resource's
/// schema says that it is a quantity: the server keeps there what was sent).
pub fn is_respelled(
    schema: &Schema,
    kind: &GroupVersionKind,
    path: &FieldPath,
    one: &Value,
    other: &Value,
) -> bool {
    let Some(root) = schema.kind(kind).map(|k| k.root) else { return false };
    let node = path.0.iter().try_fold(root, |node, segment| match (&schema.node(node)?.shape, segment) {
        (Shape::Struct { fields, .. }, Segment::Field(name)) => fields.get(name).copied(),
        (Shape::Map { value, .. }, Segment::Field(_)) => Some(*value),
        (Shape::List { item, .. }, Segment::Keys(_) | Segment::Item(_) | Segment::Index(_)) => Some(*item),
        _ => None,
    });
    node.and_then(|id| schema.node(id)).is_some_and(|node| same_scalar(&node.shape, one, other))
}

/// Returns whether two values that are no maps or lists mean the same under a type.
pub(super) fn same_scalar(shape: &Shape, desired: &Value, live: &Value) -> bool {
    if desired == live {
        return true;
    }
    match shape {
        Shape::Quantity => same_quantity(desired, live),
        Shape::Duration => match (duration_of(desired), duration_of(live)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        },
        Shape::DateTime => match (desired.as_str().map(str::parse), live.as_str().map(str::parse)) {
            (Some(Ok(a)), Some(Ok(b))) => {
                let (a, b): (jiff::Timestamp, jiff::Timestamp) = (a, b);
                a == b
            }
            _ => false,
        },
        Shape::Bytes => same_bytes(desired, live),
        _ => false,
    }
}

/// Row 6 of the catalogue: no bytes are null, empty text, or a sealed leaf of nothing.
fn same_bytes(desired: &Value, live: &Value) -> bool {
    fn nothing(value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Sealed(sealed) => sealed.is_empty(),
            _ => false,
        }
    }
    fn bytes(value: &Value) -> Option<Vec<u8>> {
        let text: Vec<u8> = value.as_str()?.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        base64::engine::general_purpose::STANDARD.decode(text).ok()
    }
    (nothing(desired) && nothing(live)) || bytes(desired).is_some_and(|a| bytes(live) == Some(a))
}

/// Compares quantities by value. A declared one with more than three decimals may have been rounded up to thousandths,
/// as the server does for resource lists.
fn same_quantity(desired: &Value, live: &Value) -> bool {
    let (Some(desired), Some(live)) = (Quantity::of(desired), Quantity::of(live)) else { return false };
    desired == live || desired.rounded_up(-3) == live
}

/// A quantity as mantissa and exponents of ten and two.
#[derive(Debug, Clone, Copy)]
struct Quantity {
    mantissa: i128,
    ten: i32,
    two: i32,
}

impl Quantity {
    /// Reads a quantity as `k8s.io/apimachinery/pkg/api/resource` does: a decimal with a suffix (`m`, `k`, `Mi`, …) or an exponent.
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::read(text),
            Value::Number(Number::Int(i)) => Some(Self { mantissa: i128::from(*i), ten: 0, two: 0 }),
            Value::Number(number) => Self::read(&number.to_string()),
            _ => None,
        }
    }

    fn read(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, suffix) = rest.split_at_checked(end)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return None;
        }
        let fraction = fraction.trim_end_matches('0');
        let mut mantissa: i128 = 0;
        for digit in whole.bytes().chain(fraction.bytes()) {
            mantissa = mantissa.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
        }
        let (ten, two) = match suffix {
            "" => (0, 0),
            "n" => (-9, 0),
            "u" => (-6, 0),
            "m" => (-3, 0),
            "k" => (3, 0),
            "M" => (6, 0),
            "G" => (9, 0),
            "T" => (12, 0),
            "P" => (15, 0),
            "E" => (18, 0),
            "Ki" => (0, 10),
            "Mi" => (0, 20),
            "Gi" => (0, 30),
            "Ti" => (0, 40),
            "Pi" => (0, 50),
            "Ei" => (0, 60),
            _ => (suffix.strip_prefix(['e', 'E'])?.parse::<i32>().ok().filter(|e| e.abs() < 100)?, 0),
        };
        let ten = ten - i32::try_from(fraction.len()).ok()?;
        Some(Self { mantissa: if negative { -mantissa } else { mantissa }, ten, two })
    }

    /// Returns the value times ten to the power of `-at`, if it is integral and in range.
    fn scaled(self, at: i32) -> Option<(i128, bool)> {
        let mut value = self.mantissa.checked_mul(1_i128.checked_shl(u32::try_from(self.two).ok()?)?)?;
        let mut exact = true;
        let mut ten = self.ten - at;
        while ten > 0 {
            value = value.checked_mul(10)?;
            ten -= 1;
        }
        while ten < 0 {
            exact &= value % 10 == 0;
            value = value.div_euclid(10);
            ten += 1;
        }
        Some((value, exact))
    }

    fn rounded_up(self, at: i32) -> Self {
        match self.scaled(at) {
            Some((value, false)) => Self { mantissa: value + 1, ten: at, two: 0 },
            _ => self,
        }
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.compare(other) == Some(Ordering::Equal)
    }
}

impl Quantity {
    fn compare(&self, other: &Self) -> Option<Ordering> {
        if self.mantissa == 0 || other.mantissa == 0 {
            return Some(self.mantissa.cmp(&other.mantissa));
        }
        let at = self.ten.min(other.ten);
        let ((a, _), (b, _)) = (self.scaled(at)?, other.scaled(at)?);
        Some(a.cmp(&b))
    }
}

/// Reads a duration as Go's `time.ParseDuration` does, in nanoseconds.
fn duration_of(value: &Value) -> Option<i128> {
    let text = value.as_str()?;
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(end)?;
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(unit_end)?;
        let nanos: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        total = total.checked_add(whole.checked_mul(nanos)?)?;
        let mut scale = nanos;
        for digit in fraction.bytes() {
            scale /= 10;
            total += i128::from(digit.checked_sub(b'0')?) * scale;
        }
        rest = tail;
    }
    Some(sign * total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Sealed;
    use crate::value;

    #[test]
    fn quantities_are_the_same_by_value() {
        for (a, b) in [
            (value!("1000m"), value!("1")),
            (value!("1024Mi"), value!("1Gi")),
            (value!("0.5"), value!("500m")),
            (value!(0.5), value!("500m")),
            (value!("1000M"), value!("1G")),
            (value!(1), value!("1")),
            (value!("1e3"), value!("1k")),
            (value!("1E"), value!("1000P")),
            (value!("0"), value!("0Mi")),
            (value!("0.5Gi"), value!("512Mi")),
            (value!("0.0001"), value!("1m")),
            (value!("-1"), value!("-1000m")),
            (value!("100000000000000000000000n"), value!("100T")),
        ] {
            assert!(same_scalar(&Shape::Quantity, &a, &b), "{a:?} {b:?}");
        }
        for (a, b) in [
            (value!("1000m"), value!("1001m")),
            (value!("1G"), value!("1Gi")),
            (value!("1"), value!("x")),
            (value!("1x"), value!("1")),
            (value!("1"), value!("-1")),
            (value!("0"), value!("1m")),
        ] {
            assert!(!same_scalar(&Shape::Quantity, &a, &b), "{a:?} {b:?}");
        }
    }

    #[test]
    fn durations_are_the_same_by_length() {
        for (a, b, same) in [
            ("1h", "60m", true),
            ("1h", "1h0m0s", true),
            ("1.5h", "1h30m0s", true),
            ("90s", "1m30s", true),
            ("1h", "2h", false),
            ("1h", "1", false),
            ("0", "0s", true),
        ] {
            assert_eq!(same_scalar(&Shape::Duration, &value!(a), &value!(b)), same, "{a} {b}");
        }
    }

    #[test]
    fn times_are_the_same_by_instant() {
        let (a, b) = (value!("2026-01-01T12:00:00+02:00"), value!("2026-01-01T10:00:00Z"));
        assert!(same_scalar(&Shape::DateTime, &a, &b));
        assert!(!same_scalar(&Shape::DateTime, &a, &value!("2026-01-01T12:00:00Z")));
    }

    #[test]
    fn bytes_are_the_same_by_content_and_null_is_empty() {
        let shape = Shape::Bytes;
        assert!(same_scalar(&shape, &value!("aGVs\nbG8="), &value!("aGVsbG8=")));
        assert!(same_scalar(&shape, &value!(""), &Value::Null));
        assert!(same_scalar(&shape, &Value::Sealed(Sealed::base64(String::new())), &Value::Null));
        assert!(!same_scalar(&shape, &value!("aGVsbG8="), &value!("aGVsbG8h")));
        assert!(!same_scalar(&shape, &Value::Sealed(Sealed::base64("YQ==".into())), &Value::Null));
    }

    #[test]
    fn an_integer_and_its_text_are_not_the_same() {
        assert!(!same_scalar(&Shape::IntOrString, &value!("80"), &value!(80)));
    }
}
