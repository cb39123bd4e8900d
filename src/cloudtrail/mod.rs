//! What does AWS say? The identifiers, names and paths that AWS defines, and the part of a trail somebody asks for.
//!
//! In: text (an id, an object key, a time as typed). Out: typed values that print back to the same text.
//! Promise: no I/O, no Arrow, no async; every parser returns "no" for text it does not know, and never guesses.

mod foreign;
mod hash;
mod ids;
mod key;
mod prefix;
mod region;
mod resource;
mod selection;
mod time;
mod user_agent;
mod written;

pub use foreign::{is_clutter, is_document, is_log_file, is_other_service};
pub use hash::{hex, sha256, sha256_unless};
pub use ids::{
    AccessKeyId, AccessKeyKind, AccountId, InvalidAccessKeyId, InvalidAccountId, access_key_kind,
    decode_account, is_guid,
};
pub use key::{Folder, LogFileKey, delivery_stamp};
pub use prefix::{KeyPrefix, Level};
pub use region::is_region;
pub use resource::{session_name, used_resource};
pub use selection::{Range, Selection};
pub use time::{Bound, TimeError, answered_time, parse_span, parse_time};
pub use user_agent::{Family, UserAgent};
pub use written::{day, minute, rfc3339, second};
