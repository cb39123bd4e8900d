//! Options of the commands that answer one question after another: for agents, and in the browser.
//!
//! In: the command line. Out: a [`Service`], and a place to serve from. Promise: those who wait for answers are served by a
//! threads of their own: the engine's may be busy with one question for a while.

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::thread;

use keytrail::analysis::findings::Rules;
use keytrail::service::{Limits, Reopen, Service, Settings};
use keytrail::session::EVENT_DATA_STORE;
use tokio::sync::oneshot;

use crate::args::{Input, LibraryArgs, TrailArgs};
use crate::commands::{NetworkArgs, consumer_options};
use crate::context::Context;
use crate::failure::Failure;
use crate::query::LimitArgs;
use crate::question;

/// What questions are asked of, and how much each may take.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ServiceArgs {
    #[command(flatten)]
    library: LibraryArgs,

    #[command(flatten)]
    networks: NetworkArgs,

    #[command(flatten)]
    trail: TrailArgs,

    #[command(flatten)]
    limits: LimitArgs,
}

impl ServiceArgs {
    /// Where notes go: beside a lake of this machine, else into the working folder.
    pub(crate) fn case_file(&self) -> PathBuf {
        let lake = match self.trail.input.input() {
            Input::Lake(lake) if !lake.contains("://") => PathBuf::from(lake),
            Input::Lake(_) | Input::Trails(_) => PathBuf::from("keytrail"),
        };
        match lake.file_name() {
            Some(name) => {
                let mut name = name.to_owned();
                name.push(".case.json");
                lake.with_file_name(name)
            }
            None => PathBuf::from("keytrail.case.json"),
        }
    }

    /// The service that is meant.
    pub(crate) async fn service(&self, context: &Context) -> Result<Service, Failure> {
        let rules = Rules::builtin()
            .map_err(|error| Failure::new("the built-in rules are broken").because(&error))?;
        let usual = Limits::default();
        let settings = Settings {
            limits: Limits {
                time: self.limits.timeout().unwrap_or(usual.time),
                ..usual
            },
            library: self.library.library(EVENT_DATA_STORE, context)?,
            rules,
            consumers: consumer_options(&self.networks, None, false)?,
            input: self.trail.again(),
        };
        let memory = Some(self.limits.max_memory());
        let session = question::session_within(memory, &self.trail, context).await?;
        let reopen = match self.trail.input.input() {
            Input::Trails(_) => None,
            Input::Lake(lake) => {
                let selection = self.trail.selection.selection()?;
                Some(Reopen {
                    location: question::location(&lake, &self.trail.access).await?,
                    options: question::options(selection, memory, context),
                })
            }
        };
        context.end_waiting();
        Ok(Service::new(session, reopen, settings).await?)
    }
}

/// Does something on threads of its own.
pub(crate) async fn apart<T, W>(work: W) -> Result<T, Failure>
where
    T: Send + 'static,
    W: Future<Output = Result<T, Failure>> + Send + 'static,
{
    let failed = |error: std::io::Error| Failure::new("the runtime did not start").because(&error);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(failed)?;
    let (done, waited) = oneshot::channel();
    let serving = thread::Builder::new().name("serve".to_owned());
    let serving = serving.spawn(move || {
        // Nobody waits any longer if it cannot be sent.
        let _ = done.send(runtime.block_on(work));
        runtime.shutdown_background();
    });
    let serving = serving.map_err(failed)?;
    match waited.await {
        Ok(done) => done,
        Err(_) => match serving.join() {
            Err(panic) => resume_unwind(panic),
            Ok(()) => Err(Failure::new("serving ended early")),
        },
    }
}
