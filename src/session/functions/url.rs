//! Parts of URLs.
//!
//! In: text. Out: parts of the URL that it is, and percent-encoded text in plain. Promise: text that is no URL gives null.

use super::function::{ArgumentKind, Arguments, of_texts};
use ::url::{Url, form_urlencoded};
use arrow::array::{Int64Array, StringArray};
use arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;

const URL: Arguments = Arguments::all(&[("url", ArgumentKind::Text)]);

pub(super) fn all() -> Vec<ScalarUDF> {
    let part = |name, function| {
        of_texts::<String, StringArray>(name, URL, |_| Ok(DataType::Utf8), function)
    };
    vec![
        part("url_extract_host", |row| {
            Some(Url::parse(row[0]).ok()?.host_str()?.to_owned())
        }),
        part("url_extract_path", |row| {
            Some(Url::parse(row[0]).ok()?.path().to_owned())
        }),
        part("url_extract_protocol", |row| {
            Some(Url::parse(row[0]).ok()?.scheme().to_owned())
        }),
        part("url_extract_query", |row| {
            Some(Url::parse(row[0]).ok()?.query()?.to_owned())
        }),
        part("url_extract_fragment", |row| {
            Some(Url::parse(row[0]).ok()?.fragment()?.to_owned())
        }),
        of_texts::<i64, Int64Array>(
            "url_extract_port",
            URL,
            |_| Ok(DataType::Int64),
            |row| Some(i64::from(Url::parse(row[0]).ok()?.port()?)),
        ),
        of_texts::<String, StringArray>(
            "url_extract_parameter",
            Arguments::all(&[("url", ArgumentKind::Text), ("name", ArgumentKind::Text)]),
            |_| Ok(DataType::Utf8),
            |row| {
                let url = Url::parse(row[0]).ok()?;
                let mut pairs = url.query_pairs();
                pairs
                    .find(|(name, _)| name == row[1])
                    .map(|(_, value)| value.into_owned())
            },
        ),
        // Policy documents in responses of IAM are encoded like this.
        part("url_decode", |row| {
            // As one value: neither `&` nor `=` of the text divides it.
            let text = row[0].replace('&', "%26").replace('=', "%3D");
            let decoded = form_urlencoded::parse(text.as_bytes()).next();
            Some(decoded.map_or_else(String::new, |(text, _)| text.into_owned()))
        }),
        part("url_encode", |row| {
            Some(form_urlencoded::byte_serialize(row[0].as_bytes()).collect())
        }),
    ]
}
