//! A queue in Amazon SQS.
//!
//! In: its URL and how AWS is reached. Out: messages, and their deletion. Promise: two calls and no others, ReceiveMessage and
//! DeleteMessageBatch; a message that was received is hidden from other readers for a quarter of an hour, and comes again after
//! that unless it was deleted.

use std::time::Duration;

use aws_config::Region;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Builder;
use aws_sdk_sqs::types::DeleteMessageBatchRequestEntry;
use url::Url;

use super::call::Call;
use super::s3::S3;
use super::{Message, Queue, SourceError, SourceOptions};

/// The most messages of one request.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>
const AT_ONCE: usize = 10;

/// How long a received message is hidden: longer than an ingest of what it announces takes.
const HIDDEN: Duration = Duration::from_secs(15 * 60);

/// A queue.
#[derive(Debug)]
pub struct Sqs {
    client: Client,
    url: String,
}

impl Sqs {
    /// The queue of this URL. Its host names the region; a host that is not AWS's is asked itself.
    pub async fn open(url: &str, options: &SourceOptions) -> Result<Self, SourceError> {
        let invalid = |reason| SourceError::InvalidUri {
            uri: url.to_owned(),
            reason,
        };
        let parsed = Url::parse(url).map_err(|_| invalid("it is not the URL of an SQS queue"))?;
        let host = parsed.host_str().unwrap_or_default();
        if !matches!(parsed.scheme(), "http" | "https") || parsed.path().len() < 2 {
            return Err(invalid("it is not the URL of an SQS queue"));
        }
        let sdk = S3::configured(options).await?;
        let mut config = Builder::from(&sdk);
        match region(host) {
            Some(region) => {
                config.set_endpoint_url(None);
                config.set_region(Some(Region::new(region.to_owned())));
            }
            None => {
                config.set_endpoint_url(Some(parsed.origin().ascii_serialization()));
            }
        }
        Ok(Self {
            client: Client::from_conf(config.build()),
            url: url.to_owned(),
        })
    }

    fn call(&self, operation: &'static str) -> Call<'_> {
        Call {
            service: "sqs",
            operation,
            resource: &self.url,
        }
    }
}

/// The region of a host of AWS's: `sqs.eu-west-1.amazonaws.com`, `sqs.cn-north-1.amazonaws.com.cn`.
/// <https://docs.aws.amazon.com/general/latest/gr/sqs-service.html>
fn region(host: &str) -> Option<&str> {
    let rest = host.strip_prefix("sqs.")?;
    let region = rest.strip_suffix(".amazonaws.com");
    region.or_else(|| rest.strip_suffix(".amazonaws.com.cn"))
}

#[async_trait::async_trait]
impl Queue for Sqs {
    fn name(&self) -> &str {
        &self.url
    }

    async fn receive(&self, patience: Duration) -> Result<Vec<Message>, SourceError> {
        let seconds = |time: Duration| i32::try_from(time.as_secs()).unwrap_or(i32::MAX);
        let answer = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(AT_ONCE as i32)
            .wait_time_seconds(seconds(patience))
            .visibility_timeout(seconds(HIDDEN))
            .send()
            .await;
        let answer = answer.map_err(|error| self.call("ReceiveMessage").failed(error))?;
        let messages = answer.messages.unwrap_or_default().into_iter();
        Ok(messages
            .map(|message| Message {
                body: message.body.unwrap_or_default(),
                receipt: message.receipt_handle.unwrap_or_default(),
            })
            .collect())
    }

    async fn delete(&self, messages: &[Message]) -> Result<(), SourceError> {
        const OPERATION: &str = "DeleteMessageBatch";
        for batch in messages.chunks(AT_ONCE) {
            let mut request = self.client.delete_message_batch().queue_url(&self.url);
            for (place, message) in batch.iter().enumerate() {
                let entry = DeleteMessageBatchRequestEntry::builder()
                    .id(place.to_string())
                    .receipt_handle(&message.receipt)
                    .build();
                let entry = entry.map_err(|error| SourceError::Service {
                    uri: self.url.clone(),
                    operation: OPERATION,
                    code: "BuildError".to_owned(),
                    message: error.to_string(),
                })?;
                request = request.entries(entry);
            }
            let answer = request.send().await;
            let answer = answer.map_err(|error| self.call(OPERATION).failed(error))?;
            if let Some(failed) = answer.failed.first() {
                return Err(SourceError::Service {
                    uri: self.url.clone(),
                    operation: OPERATION,
                    code: failed.code.clone(),
                    message: failed.message.clone().unwrap_or_default(),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_host_names_the_region() {
        assert_eq!(
            super::region("sqs.eu-west-1.amazonaws.com"),
            Some("eu-west-1")
        );
        assert_eq!(
            super::region("sqs.cn-north-1.amazonaws.com.cn"),
            Some("cn-north-1")
        );
        assert_eq!(super::region("localhost"), None);
    }
}
