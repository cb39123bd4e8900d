//! A place to look: the explorer in the browser.
//!
//! In: requests over HTTP, on loopback unless told otherwise. Out: pages, the same as data, and the server for agents at `/mcp`.
//! Promise: only who has the token is answered, and only where Host and Origin are this server's; nothing that a log says is
//! markup or script; nothing is written but the case file; a page asks nothing of another machine; every page says what was not seen. The address of a page is
//! its whole state.

mod assets;
mod body;
mod calendar;
mod case;
mod cells;
mod data;
mod guard;
mod links;
mod note;
mod pages;
mod problem;
mod query;
mod render;
mod state;

use crate::case::CaseFile;
use crate::mcp::Server;
use crate::service::Service;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::Uri;
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use guard::Guard;
use query::Address;
use state::Pages;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tracing::debug;

/// The most bytes of a form: the longest note, each character written as twelve (four bytes of `%F0`).
const NOTE: usize = 256 << 10;

/// The explorer, where it can be reached.
#[derive(Debug)]
pub struct Explorer {
    listener: TcpListener,
    pages: Pages,
}

impl Explorer {
    /// Takes the address; port 0 is any free one. With a new token. Notes go to the case file.
    ///
    /// # Errors
    ///
    /// The address cannot be taken.
    pub async fn bind(address: SocketAddr, service: Service, case: CaseFile) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let guard = Arc::new(Guard::new(listener.local_addr()?));
        Ok(Self {
            listener,
            pages: Pages {
                service,
                guard,
                case,
            },
        })
    }

    /// The address to open, with the token.
    pub fn url(&self) -> String {
        self.pages.guard.url()
    }

    /// Whether other machines can reach it.
    pub fn is_open(&self) -> bool {
        self.pages.guard.is_open()
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    ///
    /// Those of the listener.
    pub async fn run(self) -> io::Result<()> {
        let Self { listener, pages } = self;
        let agents = Server::new(pages.service.clone()).over_http();
        let guard = Arc::clone(&pages.guard);
        let router = Router::new()
            .route_service("/mcp", agents)
            .route("/search", get(search))
            .route("/note", post(keep).layer(DefaultBodyLimit::max(NOTE)))
            .fallback(get(answer))
            .with_state(pages)
            .layer(axum::middleware::from_fn_with_state(guard, guard::check));
        // Else the end of an answer waits for the browser's delayed acknowledgement, 40 ms on Linux.
        let listener = listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                debug!(%error, "TCP_NODELAY");
            }
        });
        axum::serve(listener, router).await
    }
}

/// Leads to the page that shows what is sought.
async fn search(uri: Uri) -> Redirect {
    Redirect::to(&Address::sought(&uri).with(&[]))
}

/// Dropped when the browser goes away, and the question with it.
async fn answer(State(pages): State<Pages>, uri: Uri) -> Response {
    if let Some(asset) = assets::named(uri.path()) {
        return asset;
    }
    render::answer(&pages, &uri).await
}

/// Keeps a note: the only request that changes anything, in the case file alone.
async fn keep(State(pages): State<Pages>, body: Bytes) -> Response {
    note::change(&pages, &body).await
}
