//! The service behind the explorer and the server for agents: questions at once, in bounds, of a range of time.

use std::time::{Duration, Instant};

use chrono::DateTime;
use keytrail::cloudtrail::Range;
use keytrail::service::{Answer, Asked, Part, Question, Service, ServiceError, Settings, View};
use keytrail::session::{Session, SessionOptions};
use keytrail::source::{self, SourceOptions};

const TRAIL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/trail");

async fn service(change: impl FnOnce(&mut Settings)) -> Service {
    let source = source::open(TRAIL, &SourceOptions::default())
        .await
        .unwrap();
    let session = Session::trail(vec![source], &SessionOptions::default())
        .await
        .unwrap();
    let mut settings = Settings::built_in().unwrap();
    change(&mut settings);
    Service::new(session, None, settings).await.unwrap()
}

fn sql(text: &str) -> Asked {
    Question::Sql(text.to_owned(), Default::default()).into()
}

/// All rows of a table, as JSON lines.
fn rows(answer: &Answer, section: &str, view: &View) -> Vec<String> {
    let part = Part {
        section: Some(section.to_owned()),
        offset: 0,
        rows: usize::MAX,
    };
    let document = answer.document(view, &part).unwrap();
    let rows = document.tables[0].rows.iter();
    rows.map(|row| serde_json::to_string(row).unwrap())
        .collect()
}

/// Two questions that make tables of the same name do not see each other's.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn questions_at_once_do_not_mix() {
    let service = service(|_| ()).await;
    let all = service.ask(&Question::Keys(false).into()).await.unwrap();
    let listed = rows(&all.answer, "keys", &View::default());
    let known: Vec<String> = listed
        .iter()
        .map(|row| {
            serde_json::from_str::<serde_json::Value>(row).unwrap()["access_key_id"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert!(known.len() >= 2, "{known:?}");
    let asked = known.iter().cycle().take(24).map(|key| {
        let (service, key) = (service.clone(), key.clone());
        async move {
            let question = Question::Key(key.parse().unwrap());
            let answered = service.ask(&question.into()).await.unwrap();
            (key, rows(&answered.answer, "summary", &View::default()))
        }
    });
    for (key, summary) in futures::future::join_all(asked).await {
        assert_eq!(summary.len(), 1);
        assert!(summary[0].contains(&key), "{key}: {summary:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_of_time_holds_for_rows_and_coverage() {
    let service = service(|_| ()).await;
    let time = |text: &str| Some(DateTime::parse_from_rfc3339(text).unwrap().to_utc());
    let range = Range {
        since: time("2025-03-04T00:00:00Z"),
        until: time("2025-03-05T00:00:00Z"),
    };
    let question = sql("SELECT count(*) AS n, min(event_time) >= '2025-03-04' AS a, max(event_time) < '2025-03-05' AS b FROM events").question;
    let answered = service.ask(&Asked { question, range }).await.unwrap();
    let found = rows(&answered.answer, "rows", &View::default());
    let found: serde_json::Value = serde_json::from_str(&found[0]).unwrap();
    assert_eq!(
        (&found["a"], &found["b"]),
        (&true.into(), &true.into()),
        "{found}"
    );
    let coverage = answered.answer.coverage().unwrap();
    assert_eq!(found["n"], coverage.events);
    assert!(coverage.events > 0 && coverage.events < 336, "{coverage:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_bounded_and_that_some_are_missing_is_said() {
    let service = service(|settings| settings.limits.rows = 100).await;
    for (text, kept, more) in [
        ("SELECT * FROM generate_series(1, 1000000000)", 100, true),
        ("SELECT * FROM generate_series(1, 101)", 100, true),
        ("SELECT * FROM generate_series(1, 100)", 100, false),
        ("SELECT * FROM generate_series(1, 7)", 7, false),
    ] {
        let answered = service.ask(&sql(text)).await.unwrap();
        assert_eq!(
            rows(&answered.answer, "rows", &View::default()).len(),
            kept,
            "{text}"
        );
        let Answer::Report(report) = &answered.answer else {
            panic!("{text}")
        };
        let said = report
            .notes
            .iter()
            .any(|note| note.contains("only the first 100 rows"));
        assert_eq!(said, more, "{text}: {:?}", report.notes);
    }
}

/// One thread: the engine leaves it only where it waits.
#[tokio::test]
async fn a_question_ends_with_its_time_and_with_whoever_waits() {
    let service = service(|settings| {
        settings.limits.time = Duration::from_millis(500);
        settings.limits.at_once = 1;
    })
    .await;
    let endless = sql("SELECT count(*) FROM events a, events b, events c, events d, events e");
    let begun = Instant::now();
    let over = service.ask(&endless).await;
    assert!(matches!(over, Err(ServiceError::Time(_))), "{over:?}");
    // Nobody waits for this one: it leaves its turn to the next.
    let dropped = tokio::time::timeout(Duration::from_millis(200), service.ask(&endless)).await;
    assert!(!matches!(dropped, Ok(Ok(_))));
    service.ask(&sql("SELECT 1")).await.unwrap();
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_sorted_filtered_and_paged() {
    let service = service(|_| ()).await;
    let answered = service.ask(&Question::Keys(true).into()).await.unwrap();
    let view = |filter: &str, sort: &str, descending| View {
        filter: Some(filter.to_owned()),
        sort: Some(sort.to_owned()),
        descending,
        ..View::default()
    };
    let all = rows(&answered.answer, "keys", &View::default());
    let up = rows(&answered.answer, "keys", &view("", "access_key_id", false));
    let mut down = rows(&answered.answer, "keys", &view("", "access_key_id", true));
    down.reverse();
    assert_eq!(up, down);
    assert_eq!(up.len(), all.len());
    let some = rows(&answered.answer, "keys", &view("akia", "events", true));
    assert!(
        !some.is_empty() && some.len() < all.len(),
        "{} of {}",
        some.len(),
        all.len()
    );
    let mut paged = Vec::new();
    for offset in (0..).step_by(3) {
        let part = Part {
            section: None,
            offset,
            rows: 3,
        };
        let mut document = answered.answer.document(&View::default(), &part).unwrap();
        let table = document.tables.remove(0);
        assert_eq!(table.total, all.len());
        paged.extend(
            table
                .rows
                .iter()
                .map(|row| serde_json::to_string(row).unwrap()),
        );
        if table.next().is_none() {
            break;
        }
    }
    assert_eq!(paged, all);
    let wrong = answered.answer.document(
        &view("", "no_such", false),
        &Part {
            section: None,
            offset: 0,
            rows: 1,
        },
    );
    assert!(matches!(wrong, Err(ServiceError::NoColumn(_))), "{wrong:?}");
}
