//! A place to look: the explorer in the browser.
//!
//! In: requests over HTTP, on loopback unless told otherwise. Out: pages, the same as data, and the server for agents at `/mcp`.
//! Promise: only who has the token is answered, and only where Host and Origin are this server's; nothing that a log says is
//! markup or script; a page asks nothing of another machine; every page says what was not seen. The address of a page is
//! its whole state.

mod assets;
mod calendar;
mod cells;
mod data;
mod guard;
mod links;
mod pages;
mod problem;
mod query;
mod render;

use crate::mcp::Server;
use crate::service::Service;
use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use axum::routing::get;
use guard::Guard;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// The explorer, where it can be reached.
#[derive(Debug)]
pub struct Explorer {
    listener: TcpListener,
    pages: Pages,
}

/// What every request needs.
#[derive(Debug, Clone)]
struct Pages {
    service: Service,
    guard: Arc<Guard>,
}

impl Explorer {
    /// Takes the address; port 0 is any free one. With a new token.
    ///
    /// # Errors
    ///
    /// The address cannot be taken.
    pub async fn bind(address: SocketAddr, service: Service) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let guard = Arc::new(Guard::new(listener.local_addr()?));
        Ok(Self {
            listener,
            pages: Pages { service, guard },
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
            .fallback(get(answer))
            .with_state(pages)
            .layer(axum::middleware::from_fn_with_state(guard, guard::check));
        axum::serve(listener, router).await
    }
}

/// Dropped when the browser goes away, and the question with it.
async fn answer(State(pages): State<Pages>, uri: Uri) -> Response {
    if let Some(asset) = assets::named(uri.path()) {
        return asset;
    }
    render::answer(&pages.service, &uri).await
}
