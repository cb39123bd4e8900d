//! Names of regions.
//!
//! In: text. Out: whether AWS gives such names. Promise: a region that AWS opens tomorrow is one, as long as it is called like the
//! others; a folder of another name may hold log files of any region.

/// Where in its country or continent a region is.
const DIRECTIONS: [&str; 9] = [
    "central",
    "east",
    "north",
    "northeast",
    "northwest",
    "south",
    "southeast",
    "southwest",
    "west",
];

/// Whether the name has the form of a region's: `us-east-1`, `us-gov-west-1`, `eu-isoe-west-1`, `eusc-de-east-1`.
pub fn is_region(name: &str) -> bool {
    let mut parts = name.rsplit('-');
    let number = parts.next().unwrap_or_default();
    let direction = parts.next().unwrap_or_default();
    let is_letters =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let mut before = parts.peekable();
    matches!(number.len(), 1 | 2)
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && DIRECTIONS.contains(&direction)
        && before.peek().is_some()
        && before.all(is_letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_have_a_form() {
        for name in [
            "us-east-1",
            "ap-northeast-3",
            "us-gov-west-1",
            "us-isob-east-1",
            "eu-isoe-west-1",
            "eusc-de-east-1",
            "cn-northwest-1",
        ] {
            assert!(is_region(name), "{name}");
        }
        for name in [
            "",
            "us_east_1",
            "US-EAST-1",
            "us-east1",
            "us-esat-1",
            "east-1",
            "-east-1",
            "2025",
            "03",
            "us-east-",
            "us-east-1a",
            "vpcflowlogs",
            "us--east-1",
        ] {
            assert!(!is_region(name), "{name}");
        }
    }
}
