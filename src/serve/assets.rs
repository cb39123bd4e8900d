//! Scripts and styles: files of the program itself.
//!
//! In: a path. Out: a file. Promise: nothing but these files can be named.

use crate::render::html::{CHARTS, STYLE};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

const ICON: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="5" cy="8" r="3.5" fill="none" stroke="#0b5cad" stroke-width="2"/><path d="M8.5 8H15M12 8v3" stroke="#0b5cad" stroke-width="2" fill="none"/></svg>"##;

/// The file of this path.
pub(super) fn named(path: &str) -> Option<Response> {
    let (kind, text) = match path {
        "/static/base.css" => ("text/css; charset=utf-8", STYLE),
        "/static/explorer.css" => ("text/css; charset=utf-8", include_str!("page/explorer.css")),
        "/static/charts.js" => ("text/javascript; charset=utf-8", CHARTS),
        "/static/explorer.js" => (
            "text/javascript; charset=utf-8",
            include_str!("page/explorer.js"),
        ),
        "/static/icon.svg" => ("image/svg+xml", ICON),
        _ => return None,
    };
    Some(([(header::CONTENT_TYPE, kind)], text).into_response())
}
