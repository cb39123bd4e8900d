//! A call, and what it needs.
//!
//! In: nothing. Out: [`Call`] and [`Need`], on which everything in this folder rests. Promise: plain data.

/// A call, as an event records it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Call<'a> {
    /// `event_source`.
    pub event_source: &'a str,
    /// `operation`: the call's name without a date.
    pub operation: &'a str,
    /// `aws_region`.
    pub region: &'a str,
    /// `account_id`.
    pub account: &'a str,
    /// `user_identity_arn`.
    pub caller: &'a str,
    /// `via_service`.
    pub via_service: Option<&'a str>,
    /// `resources`, JSON.
    pub resources: Option<&'a str>,
    /// `request_parameters`, JSON.
    pub request_parameters: Option<&'a str>,
    /// `response_elements`, JSON.
    pub response_elements: Option<&'a str>,
    /// `additional_event_data`, JSON.
    pub additional_event_data: Option<&'a str>,
    /// `error_message`, if the call was denied.
    pub refusal: Option<&'a str>,
}

impl Call<'_> {
    /// The partition of AWS: the caller's, or else the region's.
    pub(super) fn partition(&self) -> &str {
        let mut parts = self.caller.split(':');
        match (parts.next(), parts.next()) {
            (Some("arn"), Some(partition)) if partition.starts_with("aws") => partition,
            _ => super::super::arn::partition(self.region),
        }
    }
}

/// A permission that a call needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// The action, e.g. `s3:GetObject`.
    pub action: String,
    /// The resource as a policy writes it. For objects of S3 up to their last `/`, the rest is in `leaf`.
    pub resource: String,
    /// The last part of an object's key, where nothing in it tells that it is one of many.
    pub leaf: Option<String>,
    /// A condition under which alone it was needed, e.g. `kms:ViaService=s3.eu-west-1.amazonaws.com`.
    pub condition: Option<String>,
    /// Whether it is the first need of its action in this call: who counts calls counts these.
    pub first: bool,
    /// Why no policy can allow it from this event alone; none for a permission that can be allowed.
    pub open: Option<Open>,
}

impl Need {
    /// A permission on a resource.
    pub(super) fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        let (resource, leaf) = super::split::split(resource.into());
        Self {
            action: action.into(),
            resource,
            leaf,
            condition: None,
            first: false,
            open: None,
        }
    }

    /// The same, under a condition.
    pub(super) fn under(self, condition: Option<String>) -> Self {
        Self { condition, ..self }
    }

    /// Something that the event leaves open, and what of.
    pub(super) fn open(action: &str, subject: &str, open: Open) -> Self {
        Self {
            action: action.to_owned(),
            resource: subject.to_owned(),
            leaf: None,
            condition: None,
            first: false,
            open: Some(open),
        }
    }
}

/// What an event leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Open {
    /// The reference has no action of this name.
    UnknownAction,
    /// The call passes the roles of the task definition that it names.
    TaskRoles,
    /// The call may pass the role of the launch template that it names.
    TemplateRole,
    /// The object is encrypted with a KMS key that the event does not name.
    KmsKey,
    /// The event does not say what the PartiQL statement does.
    Statement,
    /// The profile's own models are not in the event.
    ProfileModels,
    /// The copied object may have tags.
    SourceTags,
    /// The list of what is deleted, which the event does not have, may name versions.
    Versions,
    /// The group starts instances with the rights of the caller from the launch template that it names.
    TemplateInstances,
    /// The policy of the image's repository may not let the service in yet.
    ImagePolicy,
}

impl Open {
    /// All of them.
    pub const ALL: [Open; 10] = [
        Open::UnknownAction,
        Open::TaskRoles,
        Open::TemplateRole,
        Open::KmsKey,
        Open::Statement,
        Open::ProfileModels,
        Open::SourceTags,
        Open::Versions,
        Open::TemplateInstances,
        Open::ImagePolicy,
    ];

    /// Its name in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Open::UnknownAction => "unknown-action",
            Open::TaskRoles => "task-roles",
            Open::TemplateRole => "template-role",
            Open::KmsKey => "kms-key",
            Open::Statement => "statement",
            Open::ProfileModels => "profile-models",
            Open::SourceTags => "source-tags",
            Open::Versions => "versions",
            Open::TemplateInstances => "template-instances",
            Open::ImagePolicy => "image-policy",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|open| open.as_str() == name)
    }
}
