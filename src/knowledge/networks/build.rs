//! Making the table of networks.
//!
//! In: a folder of files as providers publish them: AWS's `*ip-ranges.json` (also `.gz`), and `<provider>-ipv4.txt`,
//! `<provider>-ipv6.txt` with one CIDR per line. Out: the table, compressed. Promise: the same files give the same bytes.

use super::{KnowledgeError, Network, Networks, table, text};
use flate2::Compression;
use flate2::write::GzEncoder;
use ipnet::IpNet;
use serde::Deserialize;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Ranges that nobody owns: lists of providers have them by mistake.
const SPECIAL: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    "2001:db8::/32",
    "fc00::/7",
    "fe80::/10",
];

type Prefixes = Vec<(IpNet, Network)>;

#[derive(Deserialize)]
struct IpRanges<'a> {
    #[serde(rename = "createDate")]
    create_date: &'a str,
    #[serde(borrow)]
    prefixes: Vec<Prefix<'a>>,
    #[serde(borrow, default)]
    ipv6_prefixes: Vec<Prefix<'a>>,
}

#[derive(Deserialize)]
struct Prefix<'a> {
    #[serde(alias = "ip_prefix", alias = "ipv6_prefix")]
    prefix: &'a str,
    region: &'a str,
    service: &'a str,
}

/// Date and prefixes of AWS's `ip-ranges.json`.
pub(super) fn aws(text: &str, path: &Path) -> Result<(String, Prefixes), KnowledgeError> {
    let wrong = |reason: String| KnowledgeError::Content {
        path: path.to_owned(),
        reason,
    };
    let ranges: IpRanges<'_> = serde_json::from_str(text)
        .map_err(|error| wrong(format!("not AWS's ip-ranges.json: {error}")))?;
    let mut prefixes = Prefixes::new();
    for range in ranges.prefixes.iter().chain(&ranges.ipv6_prefixes) {
        let prefix: IpNet = range
            .prefix
            .parse()
            .map_err(|_| wrong(format!("{:?} is not a network", range.prefix)))?;
        let owner = Network {
            provider: "aws".to_owned(),
            service: Some(range.service.to_owned()),
            region: Some(range.region.to_owned()),
        };
        prefixes.push((prefix.trunc(), owner));
    }
    // `2026-08-22-15-17-05`
    let date = ranges.create_date.get(..10);
    let date = date.ok_or_else(|| wrong(format!("no date in {:?}", ranges.create_date)))?;
    Ok((date.to_owned(), prefixes))
}

/// One provider's CIDRs.
fn cidrs(text: &str, provider: &str, path: &Path) -> Result<Prefixes, KnowledgeError> {
    let lines = text.lines().enumerate();
    let lines = lines.map(|(index, line)| (index, line.trim()));
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(index, line)| {
            let prefix: IpNet = line.parse().map_err(|_| KnowledgeError::Line {
                path: path.to_owned(),
                line: index + 1,
                reason: format!("{line:?} is not a network such as 192.0.2.0/24"),
            })?;
            let owner = Network {
                provider: provider.to_owned(),
                service: None,
                region: None,
            };
            Ok((prefix.trunc(), owner))
        })
        .collect()
}

impl Networks {
    /// Makes the table of the files in a folder. `date` is that of the ranges; AWS's own if it is not given.
    pub fn build(folder: &Path, date: Option<&str>) -> Result<Vec<u8>, KnowledgeError> {
        let read = |path: &Path, source| KnowledgeError::Read {
            path: path.to_owned(),
            source,
        };
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|source| read(folder, source))?
            .iter()
            .map(std::fs::DirEntry::path)
            .collect();
        paths.sort();
        let mut published = date.map(str::to_owned);
        let mut prefixes = Prefixes::new();
        for path in &paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let name = name.strip_suffix(".gz").unwrap_or(&name);
            let provider = ["-ipv4.txt", "-ipv6.txt"]
                .iter()
                .find_map(|end| name.strip_suffix(end));
            if provider.is_none() && !name.ends_with("ip-ranges.json") {
                continue;
            }
            let bytes = std::fs::read(path).map_err(|source| read(path, source))?;
            let text = text(&bytes, path)?;
            match provider {
                Some(provider) => prefixes.extend(cidrs(&text, provider, path)?),
                None => {
                    let (date, ranges) = aws(&text, path)?;
                    published.get_or_insert(date);
                    prefixes.extend(ranges);
                }
            }
        }
        let lacking = |reason: &str| KnowledgeError::Content {
            path: folder.to_owned(),
            reason: reason.to_owned(),
        };
        if prefixes.is_empty() {
            return Err(lacking("neither an ip-ranges.json nor a PROVIDER-ipv4.txt"));
        }
        let date = published
            .ok_or_else(|| lacking("no date given, and no ip-ranges.json to take one from"))?;
        let special: Vec<IpNet> = SPECIAL
            .iter()
            .filter_map(|range| range.parse().ok())
            .collect();
        prefixes.retain(|(prefix, _)| !special.iter().any(|range| range.contains(prefix)));
        table::sort(&mut prefixes);
        let prefixes = table::without_redundant(prefixes);
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed
            .write_all(table::write(&date, &prefixes).as_bytes())
            .and_then(|()| packed.finish())
            .map_err(|source| read(folder, source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_folder_becomes_a_table() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        assert!(Networks::build(folder.path(), None).is_err());
        write("microsoft-ipv4.txt", "20.0.0.0/8\n# none\n\n20.4.0.0/16\n");
        write("github-ipv4.txt", "20.4.0.0/16\n203.0.113.0/24\n");
        write("notes.md", "nothing");
        let undated = Networks::build(folder.path(), None).unwrap_err();
        assert!(undated.to_string().contains("date"), "{undated}");
        write(
            "aws-ip-ranges.json",
            r#"{"syncToken":"1","createDate":"2026-08-22-15-17-05","prefixes":[
                {"ip_prefix":"3.0.0.0/8","region":"us-east-1","service":"AMAZON","network_border_group":"x"},
                {"ip_prefix":"3.0.0.0/8","region":"us-east-1","service":"EC2","network_border_group":"x"},
                {"ip_prefix":"3.1.0.0/16","region":"us-east-1","service":"EC2","network_border_group":"x"}],
                "ipv6_prefixes":[{"ipv6_prefix":"2a05:d000::/24","region":"eu-west-1","service":"AMAZON"}]}"#,
        );
        let table = Networks::build(folder.path(), None).unwrap();
        assert_eq!(table, Networks::build(folder.path(), None).unwrap());
        let path = folder.path().join("table.txt.gz");
        fs::write(&path, table).unwrap();
        assert_eq!(
            text(&fs::read(&path).unwrap(), &path).unwrap(),
            "# keytrail networks 2026-08-22\n3.0.0.0/8\taws\tEC2\tus-east-1\n20.0.0.0/8\tmicrosoft\n20.4.0.0/16\tgithub\n\
             2a05:d000::/24\taws\tAMAZON\teu-west-1\n"
        );
        let networks = Networks::open(&path).unwrap();
        assert_eq!(networks.date(), "2026-08-22");
        let raw = Networks::open(&folder.path().join("aws-ip-ranges.json")).unwrap();
        let found = raw.lookup("3.1.2.3".parse().unwrap()).unwrap();
        assert_eq!(found.service.as_deref(), Some("EC2"));
        write("github-ipv4.txt", "20.4.0.0/16\n20.4.0/16\n");
        let wrong = Networks::build(folder.path(), None).unwrap_err();
        assert!(
            wrong.to_string().contains("github-ipv4.txt, line 2"),
            "{wrong}"
        );
        let wrong = Networks::open(&folder.path().join("notes.md")).unwrap_err();
        assert!(wrong.to_string().contains("notes.md: neither"), "{wrong}");
    }
}
