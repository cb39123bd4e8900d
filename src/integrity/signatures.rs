//! Signatures of digest files whose metadata is lost.
//!
//! In: a file that names digests and their signatures. Out: [`Signatures`]. Promise: a wrong signature in it can make a digest
//! invalid, never valid: it is checked like any other.

use std::collections::HashMap;

use super::keys::unhex;
use crate::json::Value;

/// Why a file of signatures cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SignaturesError {
    /// A line is none.
    #[error("line {0} is not `DIGEST SIGNATURE`, with the signature in hexadecimal")]
    Line(usize),
    /// The JSON is something else.
    #[error("the JSON has no signature in hexadecimal for {0:?}")]
    Json(String),
}

/// Signatures by the name of the digest file.
#[derive(Debug, Clone, Default)]
pub struct Signatures(HashMap<String, String>);

impl Signatures {
    /// Adds the signatures in a text: lines `DIGEST SIGNATURE`, or a JSON object `{"DIGEST": "SIGNATURE"}`, in which
    /// the value may also be what `aws s3api head-object` prints. `DIGEST` is a URI, a key, or a file name.
    pub fn add(&mut self, text: &str) -> Result<(), SignaturesError> {
        if let Some(value) = Value::parse(text)
            && let Some(object) = value.as_object()
        {
            for (name, value) in object.iter() {
                let metadata = || value.get("Metadata")?.get("signature")?.as_str();
                let signature = value.as_str().or_else(metadata);
                let signature = signature.filter(|text| is_signature(text));
                let signature = signature.ok_or_else(|| SignaturesError::Json(name.to_owned()))?;
                self.put(name, signature);
            }
            return Ok(());
        }
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let split = line.rsplit_once([' ', '\t', ',']);
            let (name, signature) = split
                .filter(|(_, signature)| is_signature(signature))
                .ok_or(SignaturesError::Line(number + 1))?;
            self.put(name.trim(), signature);
        }
        Ok(())
    }

    fn put(&mut self, name: &str, signature: &str) {
        self.0.insert(last(name).to_owned(), signature.to_owned());
    }

    /// The signature of the digest in this file.
    pub(super) fn of(&self, name: &str) -> Option<&String> {
        self.0.get(last(name))
    }
}

fn is_signature(text: &str) -> bool {
    unhex(text).is_some_and(|bytes| !bytes.is_empty())
}

/// The last part: names of digests have account, region, trail and time in them.
fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        for text in [
            "# from S3\ns3://b/p/x.json.gz\tabcd\n\n",
            "p/x.json.gz abcd",
            r#"{"x.json.gz": "abcd"}"#,
            r#"{"p/x.json.gz": {"Metadata": {"signature": "abcd", "signature-algorithm": "SHA256withRSA"}}}"#,
        ] {
            let mut signatures = Signatures::default();
            signatures.add(text).unwrap();
            assert_eq!(signatures.of("/copy/x.json.gz").unwrap(), "abcd", "{text}");
        }
        assert!(matches!(
            Signatures::default().add("x.json.gz nothex"),
            Err(SignaturesError::Line(1))
        ));
        assert!(matches!(
            Signatures::default().add(r#"{"x":1}"#),
            Err(SignaturesError::Json(_))
        ));
    }
}
