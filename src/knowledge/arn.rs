//! How ARNs look: the formats of the service authorization reference, and the patterns of policies.
//!
//! In: `arn:${Partition}:s3:::${BucketName}/${ObjectName}`, and texts that an attacker may have chosen. Out: matches, and
//! ARNs for policies. Promise: a text out of a log never acts as a wildcard or variable of a policy.

/// The format of a type's ARNs: literals and placeholders in turn, a literal first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    literals: Vec<&'static str>,
    placeholders: Vec<&'static str>,
}

/// The three placeholders that every service has.
const COMMON: [&str; 3] = ["Partition", "Region", "Account"];

impl Format {
    /// Reads a format.
    pub fn new(text: &'static str) -> Self {
        let mut parts = text.split("${");
        let mut format = Self {
            literals: vec![parts.next().unwrap_or_default()],
            placeholders: Vec::new(),
        };
        for part in parts {
            let (placeholder, literal) = part.split_once('}').unwrap_or((part, ""));
            format.placeholders.push(placeholder);
            format.literals.push(literal);
        }
        format
    }

    /// The placeholders that name the resource itself.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let all = self.placeholders.iter().copied();
        all.filter(|name| !COMMON.contains(name))
    }

    /// Letters that the format fixes: of two formats that an ARN matches, the one with more of them says more.
    pub fn fixed(&self) -> usize {
        self.literals.iter().map(|literal| literal.len()).sum()
    }

    /// Whether an ARN looks so.
    pub fn matches(&self, arn: &str) -> bool {
        let Some(rest) = arn.strip_prefix(self.literals[0]) else {
            return false;
        };
        matches_from(rest, &self.placeholders, &self.literals[1..])
    }

    /// The ARN with these values for the placeholders.
    pub fn filled(&self, value: impl Fn(&'static str) -> String) -> String {
        let mut arn = self.literals[0].to_owned();
        for (placeholder, literal) in self.placeholders.iter().zip(&self.literals[1..]) {
            arn.push_str(&value(placeholder));
            arn.push_str(literal);
        }
        arn
    }
}

fn matches_from(text: &str, placeholders: &[&str], literals: &[&str]) -> bool {
    let (Some(placeholder), Some(literal)) = (placeholders.first(), literals.first()) else {
        return text.is_empty();
    };
    let common = COMMON.contains(placeholder);
    // Buckets hold objects, so that their names end where the object's begins.
    let one_part = common || *placeholder == "BucketName";
    let ends = text
        .char_indices()
        .map(|(index, _)| index)
        .chain([text.len()]);
    for end in ends {
        let (value, rest) = text.split_at(end);
        if one_part && value.contains([':', '/']) {
            return false;
        }
        if value.is_empty() && !common {
            continue;
        }
        // The last placeholder takes what is left.
        if placeholders.len() == 1 && literal.is_empty() && end < text.len() {
            if one_part {
                continue;
            }
            return true;
        }
        if let Some(rest) = rest.strip_prefix(literal)
            && matches_from(rest, &placeholders[1..], &literals[1..])
        {
            return true;
        }
    }
    false
}

/// A text for a policy's resource that means itself: `*`, `?` and `$` would act.
pub fn literal(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '*' | '?' | '$' => {
                safe.push_str("${");
                safe.push(c);
                safe.push('}');
            }
            c => safe.push(c),
        }
    }
    safe
}

/// The partition of a region.
pub fn partition(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        region if region.starts_with("us-iso-") => "aws-iso",
        region if region.starts_with("us-isob-") => "aws-iso-b",
        region if region.starts_with("us-isof-") => "aws-iso-f",
        region if region.starts_with("eu-isoe-") => "aws-iso-e",
        region if region.starts_with("eusc-") => "aws-eusc",
        _ => "aws",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUCKET: &str = "arn:${Partition}:s3:::${BucketName}";
    const OBJECT: &str = "arn:${Partition}:s3:::${BucketName}/${ObjectName}";

    #[test]
    fn a_bucket_is_no_object() {
        let (bucket, object) = (Format::new(BUCKET), Format::new(OBJECT));
        assert!(bucket.matches("arn:aws:s3:::b") && !bucket.matches("arn:aws:s3:::b/k"));
        assert!(object.matches("arn:aws:s3:::b/k/l:m") && !object.matches("arn:aws:s3:::b"));
        assert!(!object.matches("arn:aws:s3:::b/"));
        assert_eq!(
            object.names().collect::<Vec<_>>(),
            ["BucketName", "ObjectName"]
        );
    }

    #[test]
    fn regions_may_be_empty_and_names_may_not() {
        let table =
            Format::new("arn:${Partition}:dynamodb:${Region}:${Account}:table/${TableName}");
        assert!(table.matches("arn:aws:dynamodb:eu-west-1:1:table/t"));
        assert!(!table.matches("arn:aws:dynamodb:eu-west-1:1:table/"));
        assert!(!table.matches("arn:aws:dynamodb:eu-west-1:1:backup/t"));
        let stream = Format::new(
            "arn:${Partition}:logs:${Region}:${Account}:log-group:${G}:log-stream:${S}",
        );
        assert!(stream.matches("arn:aws:logs:r:1:log-group:/a/b:log-stream:x/[y]"));
        assert!(!stream.matches("arn:aws:logs:r:1:log-group:/a/b:*"));
    }

    #[test]
    fn what_is_filled_in_matches() {
        let object = Format::new(OBJECT);
        let arn = object.filled(|name| name.to_lowercase());
        assert_eq!(arn, "arn:partition:s3:::bucketname/objectname");
        assert!(object.matches(&arn));
    }

    #[test]
    fn wildcards_of_an_attacker_mean_themselves() {
        assert_eq!(literal("a*b?c${d}"), "a${*}b${?}c${$}{d}");
    }
}
