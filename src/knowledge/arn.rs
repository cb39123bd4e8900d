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

/// What stands for any text at the end of a format, without a name.
const ANYTHING: &str = "*";

/// Placeholders, and what an ARN has in their place.
pub type Captured<'t> = Vec<(&'static str, &'t str)>;

/// The three placeholders that every service has.
const COMMON: [&str; 3] = ["Partition", "Region", "Account"];

impl Format {
    /// Reads a format.
    pub fn new(text: &'static str) -> Self {
        // DMS writes `endpoint:*` where others have a placeholder.
        let (text, open) = match text.strip_suffix(ANYTHING) {
            Some(text) => (text, true),
            None => (text, false),
        };
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
        if open {
            format.placeholders.push(ANYTHING);
            format.literals.push("");
        }
        format
    }

    /// The placeholders that name the resource itself.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let all = self.placeholders.iter().copied();
        all.filter(|name| !COMMON.contains(name) && *name != ANYTHING)
    }

    /// Letters that the format fixes: of two formats that an ARN matches, the one with more of them says more.
    pub fn fixed(&self) -> usize {
        self.literals.iter().map(|literal| literal.len()).sum()
    }

    /// Whether an ARN looks so.
    pub fn matches(&self, arn: &str) -> bool {
        self.captured(arn).is_some()
    }

    /// What an ARN has in place of each placeholder, if it looks so.
    pub fn captured<'t>(&self, arn: &'t str) -> Option<Captured<'t>> {
        let rest = arn.strip_prefix(self.literals[0])?;
        let mut values = Vec::new();
        matches_from(rest, &self.placeholders, &self.literals[1..], &mut values)
            .then(|| self.placeholders.iter().copied().zip(values).collect())
    }

    /// The ARN with these values for the placeholders.
    pub fn filled(&self, value: impl Fn(&'static str) -> String) -> String {
        let mut arn = self.literals[0].to_owned();
        for (placeholder, literal) in self.placeholders.iter().zip(&self.literals[1..]) {
            let value = match *placeholder {
                ANYTHING => ANYTHING.to_owned(),
                placeholder => value(placeholder),
            };
            // `policy/…/p-${PolicyId}`, and the id is `p-12345678`.
            let start = arn.rsplit([':', '/']).next().unwrap_or_default();
            let rest = value.strip_prefix(start).filter(|_| start.ends_with('-'));
            arn.push_str(rest.unwrap_or(&value));
            arn.push_str(literal);
        }
        arn
    }
}

fn matches_from<'t>(
    text: &'t str,
    placeholders: &[&str],
    literals: &[&str],
    values: &mut Vec<&'t str>,
) -> bool {
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
            values.push(text);
            return true;
        }
        if let Some(rest) = rest.strip_prefix(literal) {
            values.push(value);
            if matches_from(rest, &placeholders[1..], &literals[1..], values) {
                return true;
            }
            values.pop();
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
    fn an_arn_says_what_stands_for_each_placeholder() {
        let group = Format::new(
            "arn:${Partition}:autoscaling:${Region}:${Account}:autoScalingGroup:${Id}:autoScalingGroupName/${Name}",
        );
        let arn = "arn:aws:autoscaling:r:1:autoScalingGroup:u-1:autoScalingGroupName/a/b";
        let expected = [
            ("Partition", "aws"),
            ("Region", "r"),
            ("Account", "1"),
            ("Id", "u-1"),
            ("Name", "a/b"),
        ];
        assert_eq!(group.captured(arn).unwrap(), expected);
        assert_eq!(group.captured("arn:aws:autoscaling:r:1:other"), None);
    }

    #[test]
    fn a_star_at_the_end_of_a_format_stands_for_any_name() {
        let endpoint = Format::new("arn:${Partition}:dms:${Region}:${Account}:endpoint:*");
        assert!(endpoint.matches("arn:aws:dms:r:1:endpoint:A"));
        assert!(!endpoint.matches("arn:aws:dms:r:1:task:A"));
        assert_eq!(endpoint.names().count(), 0);
        assert_eq!(
            endpoint.filled(|_| "x".to_owned()),
            "arn:x:dms:x:x:endpoint:*"
        );
    }

    #[test]
    fn the_start_of_an_id_is_not_written_twice() {
        let unit = Format::new("arn:aws:organizations::${Account}:ou/o-${Org}/ou-${Unit}");
        let arn = |id: &str| unit.filled(|name| if name == "Unit" { id } else { "*" }.to_owned());
        assert_eq!(
            arn("ou-ab12-c"),
            "arn:aws:organizations::*:ou/o-*/ou-ab12-c"
        );
        assert_eq!(arn("ab12-c"), "arn:aws:organizations::*:ou/o-*/ou-ab12-c");
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
