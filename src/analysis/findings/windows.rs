//! Many events in a short time.
//!
//! In: the events that one window measures. Out: which of them are in a span of time with enough others. Promise: every
//! event of such a span is marked, the first as well as the last; the cost grows with the number of events, not with the
//! span.

use super::condition::Measure;
use std::collections::HashMap;

/// An event as a window sees it.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) time: i64,
    /// Which event it is.
    pub(super) row: u32,
    /// The values that are told apart or added up.
    pub(super) values: Vec<String>,
}

/// The rows that are in a span of `span` microseconds in which the measure is at least `at_least`.
pub(super) fn crowded(
    samples: &mut [Sample],
    measure: &Measure,
    (span, at_least): (i64, f64),
) -> Vec<u32> {
    samples.sort_by_key(|sample| (sample.time, sample.row));
    let samples = &*samples;
    let mut tally = Tally::new(measure);
    let mut marked = Vec::new();
    // The first sample of the span that ends at `end`, and the first that is not yet marked.
    let (mut start, mut unmarked) = (0, 0);
    for (end, sample) in samples.iter().enumerate() {
        tally.add(sample, 1);
        while sample.time - samples[start].time > span {
            tally.add(&samples[start], -1);
            start += 1;
        }
        if tally.value() >= at_least {
            let from = unmarked.max(start);
            marked.extend(samples[from..=end].iter().map(|sample| sample.row));
            unmarked = end + 1;
        }
    }
    marked
}

/// The measure of a span, kept up to date as the span moves.
enum Tally<'s> {
    Count(i64),
    Distinct(HashMap<&'s str, i64>),
    Sum(f64),
}

impl<'s> Tally<'s> {
    fn new(measure: &Measure) -> Self {
        match measure {
            Measure::Count => Tally::Count(0),
            Measure::Distinct(_) => Tally::Distinct(HashMap::new()),
            Measure::Sum(_) => Tally::Sum(0.0),
        }
    }

    fn add(&mut self, sample: &'s Sample, sign: i64) {
        match self {
            Tally::Count(count) => *count += sign,
            Tally::Distinct(counts) => {
                for value in &sample.values {
                    let count = counts.entry(value).or_default();
                    *count += sign;
                    if *count == 0 {
                        counts.remove(value.as_str());
                    }
                }
            }
            Tally::Sum(sum) => {
                let numbers = sample
                    .values
                    .iter()
                    .filter_map(|value| value.parse::<f64>().ok());
                let numbers = numbers.filter(|number| number.is_finite());
                // Bytes are whole numbers: adding and taking away is exact far beyond any window.
                *sum += numbers.sum::<f64>() * if sign > 0 { 1.0 } else { -1.0 };
            }
        }
    }

    fn value(&self) -> f64 {
        match self {
            Tally::Count(count) => *count as f64,
            Tally::Distinct(counts) => counts.len() as f64,
            Tally::Sum(sum) => *sum,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::findings::path::Path;

    fn marked(samples: &[(i64, &str)], measure: &Measure, limits: (i64, f64)) -> Vec<u32> {
        let sample = |(row, (time, value)): (usize, &(i64, &str))| Sample {
            time: *time,
            row: u32::try_from(row).unwrap(),
            values: vec![(*value).to_owned()],
        };
        let mut samples: Vec<Sample> = samples.iter().enumerate().map(sample).collect();
        let mut rows = crowded(&mut samples, measure, limits);
        rows.sort_unstable();
        rows
    }

    #[test]
    fn every_event_of_a_crowd_is_marked_and_no_other() {
        let at = [
            (0, ""),
            (100, ""),
            (104, ""),
            (105, ""),
            (110, ""),
            (200, ""),
        ];
        assert_eq!(marked(&at, &Measure::Count, (10, 3.0)), [1, 2, 3, 4]);
        assert_eq!(marked(&at, &Measure::Count, (10, 5.0)), [0; 0]);
        assert_eq!(marked(&at, &Measure::Count, (5, 3.0)), [1, 2, 3]);
        let unordered = [(5, ""), (0, ""), (3, "")];
        assert_eq!(marked(&unordered, &Measure::Count, (5, 3.0)), [0, 1, 2]);
    }

    #[test]
    fn distinct_and_sum_move_with_the_span() {
        let path = || Path::parse("eventName").unwrap();
        let at = [(0, "a"), (1, "a"), (2, "b"), (3, "a"), (50, "a"), (51, "c")];
        assert_eq!(
            marked(&at, &Measure::Distinct(path()), (10, 2.0)),
            [0, 1, 2, 3, 4, 5]
        );
        assert_eq!(marked(&at, &Measure::Distinct(path()), (0, 2.0)), [0; 0]);
        let sizes = [
            (0, "600"),
            (5, "500.0"),
            (40, "1000"),
            (41, "x"),
            (90, "999"),
        ];
        assert_eq!(
            marked(&sizes, &Measure::Sum(path()), (10, 1000.0)),
            [0, 1, 2, 3]
        );
    }
}
