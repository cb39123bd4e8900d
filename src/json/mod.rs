//! How is JSON read?
//!
//! In: JSON text. Out: the values in it. Promise: one reading for every question: what one room finds in a text, every
//! other room finds too.
//!
//! | file | question |
//! |---|---|
//! | `scan` | Where do values begin and end? Borrowed slices, nothing built. |

pub(crate) mod scan;
