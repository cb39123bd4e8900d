//! Which services have calls that a trail logs only where it is set up for them?
//!
//! In: the table in `data/`. Out: [`data_calls`]. Promise: a service that is not in it has none that matter here; every line of the table is read.

use std::collections::BTreeMap;
use std::sync::LazyLock;

const TABLE: &str = include_str!("data/data_events.tsv");

static CALLS: LazyLock<BTreeMap<&str, Vec<&str>>> = LazyLock::new(|| rows().collect());

fn rows() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let (service, calls) = line.split_once('\t')?;
        Some((service, calls.split(' ').collect()))
    })
}

/// Calls on the data of a service, by its event source (`s3.amazonaws.com`); none of a service whose calls are all management events.
pub fn data_calls(source: &str) -> Option<(&'static str, &'static [&'static str])> {
    let (service, calls) = CALLS.get_key_value(source.strip_suffix(".amazonaws.com")?)?;
    Some((service, calls))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_service() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(CALLS.len(), lines);
        let (service, calls) = data_calls("lambda.amazonaws.com").unwrap();
        assert_eq!((service, calls[0]), ("lambda", "Invoke"));
        assert_eq!(data_calls("ec2.amazonaws.com"), None);
    }
}
