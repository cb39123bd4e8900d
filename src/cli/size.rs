//! Sizes in bytes as people type them.
//!
//! In: `2GiB`, `512MB`, `1.5g`, `1000`. Out: a number of bytes, and the other way round. Promise: `K`, `M`, `G`, `T` with
//! or without `iB` are powers of 1024, with `B` alone powers of 1000.

use std::fmt;
use std::str::FromStr;

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ByteSize(pub(crate) u64);

/// Each step is 1024 (or 1000) times the one before.
const STEPS: [&str; 5] = ["", "k", "m", "g", "t"];

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        bytes(text).map(ByteSize).ok_or_else(|| {
            format!("{text:?} is not a size; write it like 2GiB, 512MiB or a number of bytes")
        })
    }
}

fn bytes(text: &str) -> Option<u64> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start().to_ascii_lowercase();
    let (step, base) = match unit.strip_suffix("ib") {
        Some(step) => (step, 1024_u64),
        None => match unit.strip_suffix('b') {
            Some(step) => (step, 1000),
            None => (unit.as_str(), 1024),
        },
    };
    let power = STEPS.iter().position(|&known| known == step)?;
    let factor = base.pow(u32::try_from(power).ok()?);
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor);
    }
    let bytes = number.parse::<f64>().ok()? * factor as f64;
    (bytes < u64::MAX as f64).then_some(bytes as u64)
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut power = 0;
        let mut value = self.0 as f64;
        while value >= 1024.0 && power + 1 < STEPS.len() {
            value /= 1024.0;
            power += 1;
        }
        let unit = ["B", "KiB", "MiB", "GiB", "TiB"][power];
        let digits = usize::from(value.fract() != 0.0);
        write!(f, "{value:.digits$} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        let read = |text: &str| text.parse::<ByteSize>().map(|size| size.0).ok();
        assert_eq!(read("1000"), Some(1000));
        assert_eq!(read("2GiB"), Some(2 << 30));
        assert_eq!(read("2 gib"), Some(2 << 30));
        assert_eq!(read("512M"), Some(512 << 20));
        assert_eq!(read("5MB"), Some(5_000_000));
        assert_eq!(read("1.5k"), Some(1536));
        assert_eq!(read("18446744073709551615"), Some(u64::MAX));
        for wrong in ["", "GiB", "-1", "1e9", "3 parsecs", "20000000TiB", "1.2.3"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn sizes_are_written() {
        assert_eq!(ByteSize(0).to_string(), "0 B");
        assert_eq!(ByteSize(2 << 30).to_string(), "2 GiB");
        assert_eq!(ByteSize(1_300_000).to_string(), "1.2 MiB");
    }
}
