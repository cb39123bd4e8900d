//! The table of networks as a file.
//!
//! In: prefixes with their owners. Out: text, and back: a first line with the date, then one line per prefix: CIDR, provider,
//! and for AWS service and region, with tabs between. Promise: sorted, so that the same ranges give the same bytes.

use super::{KnowledgeError, Network, bounds};
use ipnet::IpNet;
use std::fmt::Write as _;
use std::path::Path;

/// What the first line begins with; the date follows.
const TITLE: &str = "# keytrail networks ";

/// Services of AWS that only say that an address is AWS's, the least telling last.
const BROAD: [&str; 2] = ["EC2", "AMAZON"];

/// Puts prefixes in order, the wider first, and keeps one owner of each: the one that tells most.
pub(super) fn sort(prefixes: &mut Vec<(IpNet, Network)>) {
    prefixes.sort_by(|(a, owner_a), (b, owner_b)| {
        let place = |prefix: &IpNet| (bounds(prefix).0, std::cmp::Reverse(bounds(prefix).1));
        let order = place(a).cmp(&place(b));
        order.then_with(|| telling(owner_a).cmp(&telling(owner_b)))
    });
    prefixes.dedup_by(|next, kept| next.0 == kept.0);
}

/// Lower for owners that tell more.
fn telling(owner: &Network) -> (usize, &Network) {
    // GitHub's runners are machines of Microsoft's.
    let provider = usize::from(owner.provider != "github");
    let service = owner.service.as_deref();
    let broad = BROAD.iter().position(|broad| Some(*broad) == service);
    (provider + broad.map_or(0, |at| at + 1), owner)
}

/// Leaves out prefixes that lie in one of the same owner with nothing between.
pub(super) fn without_redundant(prefixes: Vec<(IpNet, Network)>) -> Vec<(IpNet, Network)> {
    let mut kept: Vec<(IpNet, Network)> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for (prefix, owner) in prefixes {
        let (first, _) = bounds(&prefix);
        while open
            .last()
            .is_some_and(|&top| bounds(&kept[top].0).1 < first)
        {
            open.pop();
        }
        if open.last().is_some_and(|&top| kept[top].1 == owner) {
            continue;
        }
        open.push(kept.len());
        kept.push((prefix, owner));
    }
    kept
}

/// The text of the table.
pub(super) fn write(date: &str, prefixes: &[(IpNet, Network)]) -> String {
    let mut text = format!("{TITLE}{date}\n");
    for (prefix, owner) in prefixes {
        // Writing to memory cannot fail.
        let _ = write!(text, "{prefix}\t{}", owner.provider);
        for detail in [&owner.service, &owner.region].into_iter().flatten() {
            let _ = write!(text, "\t{detail}");
        }
        text.push('\n');
    }
    text
}

/// Date and prefixes of a table.
pub(super) fn read(
    text: &str,
    path: &Path,
) -> Result<(String, Vec<(IpNet, Network)>), KnowledgeError> {
    let mut lines = text.lines();
    let date = lines.next().and_then(|line| line.strip_prefix(TITLE));
    let date = date.ok_or_else(|| KnowledgeError::Content {
        path: path.to_owned(),
        reason: "neither a table of `keytrail networks build` nor AWS's ip-ranges.json".to_owned(),
    })?;
    let mut prefixes = Vec::new();
    for (index, line) in lines.enumerate() {
        let wrong = |reason: String| KnowledgeError::Line {
            path: path.to_owned(),
            line: index + 2,
            reason,
        };
        let mut fields = line.split('\t');
        let prefix = fields.next().unwrap_or_default();
        let prefix: IpNet = prefix
            .parse()
            .map_err(|_| wrong(format!("{prefix:?} is not a network such as 192.0.2.0/24")))?;
        let provider = fields
            .next()
            .ok_or_else(|| wrong("no provider".to_owned()))?;
        let mut detail = || fields.next().map(str::to_owned);
        prefixes.push((
            prefix.trunc(),
            Network {
                provider: provider.to_owned(),
                service: detail(),
                region: detail(),
            },
        ));
    }
    Ok((date.to_owned(), prefixes))
}
