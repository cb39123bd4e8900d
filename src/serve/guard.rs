//! Who is answered.
//!
//! In: a request. Out: the same, or a refusal. Promise: a request has the token, and comes from a page of this server or from
//! none: another site that the browser has open can neither ask nor read, by whatever name it reaches this address (DNS
//! rebinding). Every answer says that nothing but this server's own scripts may run.

use crate::cloudtrail::sha256;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use url::form_urlencoded;
use uuid::Uuid;

/// What the browser lets a page do.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The address, and the token.
#[derive(Debug)]
pub(super) struct Guard {
    address: SocketAddr,
    token: String,
}

impl Guard {
    pub(super) fn new(address: SocketAddr) -> Self {
        // Two times 122 bits of the system's randomness.
        let half = || Uuid::new_v4().simple().to_string();
        Self {
            address,
            token: half() + &half(),
        }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/?token={}", self.address, self.token)
    }

    pub(super) fn is_open(&self) -> bool {
        !self.address.ip().is_loopback()
    }

    /// Whether the name that the browser reached the server by is its own. A number cannot be made to mean another machine.
    fn is_own(&self, authority: &str) -> bool {
        let named = format!("localhost:{}", self.address.port());
        if authority.eq_ignore_ascii_case(&named) {
            return true;
        }
        let Ok(reached) = authority.parse::<SocketAddr>() else {
            return false;
        };
        let anywhere = self.address.ip().is_unspecified();
        let own = |ip: IpAddr| ip == self.address.ip() || anywhere;
        reached.port() == self.address.port() && own(reached.ip())
    }

    /// Whether it is the token. Compared by hash, so that the time says nothing.
    fn is_token(&self, given: &str) -> bool {
        Sha256::digest(given) == Sha256::digest(&self.token)
    }

    /// What a form of a page has, so that no other site can send it. It does not give the token away.
    pub(super) fn form_token(&self) -> String {
        sha256(format!("form {}", self.token).as_bytes())
    }

    /// Whether a form has it. Compared by hash, so that the time says nothing.
    pub(super) fn is_form_token(&self, given: &str) -> bool {
        Sha256::digest(given) == Sha256::digest(self.form_token())
    }

    /// Cookies know no ports.
    fn cookie(&self) -> String {
        format!("keytrail_{}", self.address.port())
    }

    fn refusal(&self, method: &Method, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
        let text = |name| {
            headers
                .get(name)
                .map(|value: &HeaderValue| value.to_str().unwrap_or_default())
        };
        if !text(header::HOST).is_some_and(|host| self.is_own(host)) {
            return Some((
                StatusCode::MISDIRECTED_REQUEST,
                "this server has another name: open the address that keytrail printed\n",
            ));
        }
        let origin = text(header::ORIGIN);
        let own = |origin: &str| {
            origin
                .strip_prefix("http://")
                .is_some_and(|authority| self.is_own(authority))
        };
        if origin.is_some_and(|origin| !own(origin)) {
            return Some((
                StatusCode::FORBIDDEN,
                "refused: the request came from another site\n",
            ));
        }
        let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
        let mode = headers.get("sec-fetch-mode").map(HeaderValue::as_bytes);
        // A link on another site may lead here; nothing else there may.
        let link = method == Method::GET && mode == Some(b"navigate".as_slice());
        match site {
            None | Some(b"same-origin" | b"none") => None,
            Some(_) if link => None,
            Some(_) => Some((
                StatusCode::FORBIDDEN,
                "refused: the request came from another site\n",
            )),
        }
    }

    /// Whether the request has the token, in a cookie or as a bearer's.
    fn knows(&self, headers: &HeaderMap) -> bool {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| {
            let text = value.to_str().ok()?;
            text.strip_prefix("Bearer ")
        });
        let name = self.cookie();
        let cookies = headers.get_all(header::COOKIE).iter();
        let cookies = cookies.filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|cookies| cookies.split(';'));
        bearer.is_some_and(|token| self.is_token(token.trim()))
            || pairs.any(|pair| {
                let pair = pair.trim().split_once('=');
                pair.is_some_and(|(of, token)| of == name && self.is_token(token))
            })
    }

    /// The address without the token in it, if it is the right one.
    fn entered(&self, uri: &Uri) -> Option<String> {
        let given = form_urlencoded::parse(uri.query()?.as_bytes());
        let (tokens, rest): (Vec<_>, Vec<_>) = given.partition(|(name, _)| name == "token");
        let [(_, token)] = tokens.as_slice() else {
            return None;
        };
        let rest = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(rest)
            .finish();
        let path = uri.path();
        self.is_token(token).then(|| match rest.is_empty() {
            true => path.to_owned(),
            false => format!("{path}?{rest}"),
        })
    }
}

/// Lets a request through, or not.
pub(super) async fn check(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match guard.refusal(request.method(), request.headers()) {
        Some(refusal) => refusal.into_response(),
        None if guard.knows(request.headers()) => next.run(request).await,
        None => entrance(&guard, request.uri()),
    };
    let headers = response.headers_mut();
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // With none at all, browsers do not say where a form comes from.
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    for (name, value) in fixed {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    for (name, value) in [
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Who comes with the token in the address gets it as a cookie, which no script and no other site sees.
fn entrance(guard: &Guard, uri: &Uri) -> Response {
    let Some(place) = guard.entered(uri) else {
        let words = "the token is missing or wrong: open the address that keytrail printed\n";
        return (StatusCode::UNAUTHORIZED, words).into_response();
    };
    let cookie = format!(
        "{}={}; Path=/; HttpOnly; SameSite=Strict",
        guard.cookie(),
        guard.token
    );
    let place = place.trim_start_matches('/');
    let headers = [
        (header::SET_COOKIE, cookie),
        (header::LOCATION, format!("/{place}")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names_are_numbers_and_localhost() {
        let guard = Guard::new("127.0.0.1:4000".parse().unwrap());
        for own in ["127.0.0.1:4000", "localhost:4000", "LOCALHOST:4000"] {
            assert!(guard.is_own(own), "{own}");
        }
        for other in [
            "127.0.0.1",
            "127.0.0.1:4001",
            "evil.test:4000",
            "localhost.evil.test:4000",
            "10.0.0.1:4000",
            "127.0.0.1:4000@evil.test",
            "",
        ] {
            assert!(!guard.is_own(other), "{other}");
        }
        let open = Guard::new("0.0.0.0:4000".parse().unwrap());
        assert!(open.is_open() && open.is_own("192.0.2.7:4000"));
        assert!(!open.is_own("evil.test:4000"));
        assert_ne!(open.token, guard.token);
    }
}
