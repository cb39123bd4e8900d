//! Every file of a lake, damaged in every way: each answer is right, or there is none but one plain sentence with a way out; and
//! what the way out mends is right again.

use crate::program::keytrail;
use crate::trail::write_days;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use walkdir::WalkDir;

/// What is asked of a lake.
const QUESTIONS: [&[&str]; 6] = [
    &["keys", "--temporary", "--format", "json"],
    &["sql", "SELECT count(*) FROM events", "--format", "csv"],
    &[
        "sql",
        "SELECT sum(events) FROM log_files",
        "--format",
        "csv",
    ],
    &[
        "sql",
        "SELECT count(*), max(log_file_record) FROM rejects",
        "--format",
        "csv",
    ],
    &[
        "sql",
        "SELECT count(*) FROM events WHERE access_key_id IS NOT NULL AND event_time > '2025-03-01T12:00:00Z'",
        "--format",
        "csv",
    ],
    &["coverage", "--format", "json"],
];

/// Words of the engines below.
const ENGINE: [&str; 10] = [
    "panicked",
    "ernel",
    "Arrow",
    "DataFusion",
    "Generic",
    "External",
    "Parquet",
    "thrift",
    "Join Error",
    "Object at location",
];

/// Exit code, answer and errors.
type Said = (i32, String, String);

/// A folder with a trail and a whole lake of it, which is copied to be damaged.
struct Home {
    folder: TempDir,
    right: Vec<Said>,
}

impl Home {
    /// A lake of two ingests with what these commands make of it.
    fn new(then: &[&[&str]]) -> Self {
        let mut home = Self {
            folder: tempfile::tempdir().unwrap(),
            right: Vec::new(),
        };
        for days in [0..1, 1..2] {
            write_days(&home.path("trail"), "111111111111", days);
            assert_eq!(home.run(&["ingest", "trail"]).0, 3);
        }
        for command in then {
            assert_eq!(home.run(command).0, 0);
        }
        fs::rename(home.path("lake"), home.path("whole")).unwrap();
        home.renew();
        home.right = QUESTIONS.iter().map(|args| home.run(args)).collect();
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the program in the folder.
    fn run(&self, args: &[&str]) -> Said {
        let mut command = keytrail(args);
        command.args(["--lake", "lake", "--quiet"]);
        let output = command.current_dir(&self.folder).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let (answer, errors) = (text(output.stdout), text(output.stderr));
        let code = output.status.code().expect("an end without a signal");
        for word in ENGINE {
            assert!(!errors.contains(word), "{args:?}: engine text: {errors}");
        }
        assert!(matches!(code, 0 | 1 | 3), "{args:?}: {answer}{errors}");
        (code, answer, errors)
    }

    /// The lake is as it was.
    fn renew(&self) {
        let lake = self.path("lake");
        if lake.exists() {
            fs::remove_dir_all(&lake).unwrap();
        }
        for entry in WalkDir::new(self.path("whole")) {
            let entry = entry.unwrap();
            let to = lake.join(entry.path().strip_prefix(self.path("whole")).unwrap());
            match entry.file_type().is_dir() {
                true => fs::create_dir_all(&to).unwrap(),
                false => drop(fs::copy(entry.path(), &to).unwrap()),
            }
        }
    }

    /// The files of the lake, by their kind: those of one kind may be taken for each other.
    fn files(&self) -> BTreeMap<String, Vec<PathBuf>> {
        let mut files: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
        for entry in WalkDir::new(self.path("whole")).sort_by_file_name() {
            let entry = entry.unwrap();
            if entry.file_type().is_file() {
                let path = entry.path().strip_prefix(self.path("whole")).unwrap();
                let table = path.components().next().unwrap().as_os_str();
                let kind = path.extension().unwrap_or(path.file_name().unwrap());
                let kind = format!("{} {}", table.display(), kind.display());
                files.entry(kind).or_default().push(path.to_owned());
            }
        }
        files
    }

    /// Every command is right or says what is wrong; afterwards, the lake is mended.
    fn assert_told(&self, what: &str) {
        let mut noticed = false;
        let assert_refused = |(code, answer, errors): &Said, args: &[&str]| {
            assert_eq!(*code, 1, "{what}: {args:?}: {answer}{errors}");
            assert!(errors.starts_with("error: "), "{what}: {errors}");
            assert!(errors.contains("\nhint: "), "{what}: {args:?}: {errors}");
            assert_eq!(errors.matches("error: ").count(), 1, "{what}: {errors}");
        };
        let ask = || QUESTIONS.iter().map(|args| self.run(args));
        for ((said, right), args) in ask().zip(&self.right).zip(QUESTIONS) {
            if (said.0, &said.1) != (right.0, &right.1) {
                assert_refused(&said, args);
                assert!(
                    said.2.contains("keytrail lake mend --lake "),
                    "{what}: {}",
                    said.2
                );
                noticed = true;
            }
        }
        let check = self.run(&["lake", "check"]);
        if noticed {
            assert_eq!(check.0, 1, "{what}: the check finds nothing: {check:?}");
        }
        if check.0 != 0 {
            assert!(check.1.contains("faults:\n"), "{what}: {check:?}");
            assert!(
                check.2.contains("keytrail lake mend --lake "),
                "{what}: {check:?}"
            );
        }
        let ingest = self.run(&["ingest", "trail"]);
        if ingest.0 != 3 {
            assert_refused(&ingest, &["ingest"]);
        }
        let mend = self.run(&["lake", "mend"]);
        let check = self.run(&["lake", "check"]);
        assert_eq!(check.0, 0, "{what}: not mended: {check:?}, {mend:?}");
        match mend.0 {
            0 => {
                for ((said, right), args) in ask().zip(&self.right).zip(QUESTIONS) {
                    assert_eq!(said, *right, "{what}: {args:?} after {mend:?}");
                }
                return;
            }
            3 => assert!(
                mend.1
                    .contains("\nRead the trail again: keytrail ingest SOURCE --lake "),
                "{what}: {mend:?}"
            ),
            _ => panic!("{what}: {mend:?}"),
        }
        let ingest = self.run(&["ingest", "trail"]);
        assert_eq!(ingest.0, 3, "{what}: {ingest:?}");
        for ((said, right), args) in ask().zip(&self.right).zip(QUESTIONS) {
            assert_eq!(said, *right, "{what}: {args:?} after an ingest");
        }
    }
}

const DAMAGES: [&str; 7] = [
    "deleted", "emptied", "cut", "first", "middle", "last", "swapped",
];

/// Damages a file; tells whether that was possible.
fn damage(lake: &Path, (file, other): (&Path, Option<&Path>), how: &str, bit: usize) -> bool {
    let path = lake.join(file);
    let mut bytes = fs::read(&path).unwrap();
    let length = bytes.len();
    let mut flip = |place: usize| bytes[place] ^= 1 << (bit % 8);
    match how {
        "deleted" => {
            fs::remove_file(&path).unwrap();
            return true;
        }
        "swapped" => {
            let Some(other) = other else { return false };
            let other = lake.join(other);
            let theirs = fs::read(&other).unwrap();
            fs::write(&other, &bytes).unwrap();
            let same = bytes == theirs;
            bytes = theirs;
            fs::write(&path, bytes).unwrap();
            return !same;
        }
        "emptied" => bytes.clear(),
        "cut" => bytes.truncate(length / 2),
        "first" => flip(length / 6),
        "middle" => flip(length / 2),
        _ => flip(length * 5 / 6),
    }
    fs::write(&path, bytes).unwrap();
    true
}

/// Damages those files of a lake in those ways that `chosen` says.
fn damage_each(home: &Home, chosen: impl Fn(usize, usize) -> bool) {
    let files = home.files();
    let mut number = 0;
    for files in files.values() {
        for (place, file) in files.iter().enumerate() {
            let other = files.get((place + 1) % files.len());
            let other = other.filter(|other| *other != file).map(PathBuf::as_path);
            for (way, how) in DAMAGES.into_iter().enumerate() {
                if !chosen(number, way) {
                    continue;
                }
                home.renew();
                if damage(&home.path("lake"), (file, other), how, number + way) {
                    home.assert_told(&format!("{}: {how}", file.display()));
                }
            }
            number += 1;
        }
    }
}

#[test]
fn a_damaged_file_is_noticed_and_mended() {
    let home = Home::new(&[]);
    damage_each(&home, |file, way| file % DAMAGES.len() == way);
}

/// In every way, also after what may be done to a lake.
#[test]
#[ignore = "takes long"]
fn every_damage_is_noticed_and_mended() {
    let then: [&[&[&str]]; 2] = [&[], &[&["lake", "compact"]]];
    for then in then {
        damage_each(&Home::new(then), |_, _| true);
    }
}
