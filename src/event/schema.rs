//! The one table of columns.
//!
//! In: nothing. Out: [`COLUMNS`], from which the Arrow schema, the decoder's look-up of fields, `keytrail describe` and
//! the README's column table come. Promise: a column has one name, AWS's own in snake_case, and one sentence.

use arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef, TimeUnit};
use std::sync::{Arc, LazyLock};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// A string; a number or an object where AWS documents a string is kept as its JSON text.
    Text,
    /// JSON text as the record has it.
    Json,
    /// `true` or `false`, also when the record says `"true"`.
    Bool,
    /// A moment in UTC, in microseconds.
    Time,
    /// A whole number.
    Int,
    /// Sixteen bytes: an IPv6 address, or an IPv4 address mapped into one.
    Address,
}

impl ColumnKind {
    /// The Arrow type of such a column.
    pub fn data_type(self) -> DataType {
        match self {
            ColumnKind::Text | ColumnKind::Json => DataType::Utf8,
            ColumnKind::Bool => DataType::Boolean,
            ColumnKind::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            ColumnKind::Int => DataType::Int64,
            ColumnKind::Address => DataType::Binary,
        }
    }
}

/// One column of `events`.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// The column's name.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnKind,
    /// Where in the record it stands, as a dotted path; empty for a column that is derived.
    pub path: &'static str,
    /// One sentence.
    pub description: &'static str,
}

macro_rules! columns {
    ($($id:ident $name:literal $kind:ident $path:literal $description:literal;)*) => {
        /// A column of [`COLUMNS`], by name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Field {
            $(#[doc = $description] $id,)*
        }

        /// Every column of `events` that is stored in its files, in order. The partition column
        /// [`EVENT_DATE`] comes on top.
        pub const COLUMNS: &[Column] = &[
            $(Column { name: $name, kind: ColumnKind::$kind, path: $path, description: $description },)*
        ];

        const FIELDS: &[Field] = &[$(Field::$id,)*];
    };
}

columns! {
    EventTime "event_time" Time "eventTime" "When the call was completed, by the clock of the service's host.";
    EventId "event_id" Text "eventID" "AWS's GUID of the event, unique in the lake; `content-…`, a hash, where the record has none.";
    EventSource "event_source" Text "eventSource" "The service that was called, e.g. `iam.amazonaws.com`.";
    EventName "event_name" Text "eventName" "The API call as recorded, e.g. `CreateFunction20150331`.";
    Operation "operation" Text "" "The API call without the API's date suffix, e.g. `CreateFunction`.";
    AwsRegion "aws_region" Text "awsRegion" "The region that was called; `us-east-1` for global services.";
    AccountId "account_id" Text "" "The account in whose log the event is: `recipientAccountId`, else the caller's account.";
    AccessKeyId "access_key_id" Text "userIdentity.accessKeyId" "The access key that signed the call; null when the record names none.";
    SourceIpAddress "source_ip_address" Text "sourceIPAddress" "The caller's address, or the name of the AWS service that called.";
    SourceIp "source_ip" Address "" "The caller's address as 16 bytes (IPv4 mapped into IPv6), for sorting and CIDR ranges; null for services.";
    UserAgent "user_agent" Text "userAgent" "The client program as it named itself, brackets included.";
    ErrorCode "error_code" Text "errorCode" "Why the call failed; null when it succeeded.";
    ErrorMessage "error_message" Text "errorMessage" "The failure in words; a failed console sign-in has only this.";
    UserIdentityType "user_identity_type" Text "userIdentity.type" "The kind of caller, e.g. `IAMUser`, `AssumedRole`, `AWSService`.";
    UserIdentityPrincipalId "user_identity_principal_id" Text "userIdentity.principalId" "The caller's unique id, e.g. `AIDA…`, or `AROA…:session`.";
    UserIdentityArn "user_identity_arn" Text "userIdentity.arn" "The caller's ARN; an assumed role's has no path and ends in the session name.";
    UserIdentityAccountId "user_identity_account_id" Text "userIdentity.accountId" "The account of the caller.";
    UserIdentityUserName "user_identity_user_name" Text "userIdentity.userName" "The caller's friendly name.";
    UserIdentityInvokedBy "user_identity_invoked_by" Text "userIdentity.invokedBy" "The AWS service that made the call, by itself or for the caller.";
    UserIdentityInvokedByDelegateAccountId "user_identity_invoked_by_delegate_account_id" Text "userIdentity.invokedByDelegate.accountId" "The account of a product provider that acts by delegation.";
    UserIdentityIdentityProvider "user_identity_identity_provider" Text "userIdentity.identityProvider" "The external identity provider of a SAML or web identity.";
    UserIdentityCredentialId "user_identity_credential_id" Text "userIdentity.credentialId" "The id of a bearer token or portal session of IAM Identity Center.";
    OnBehalfOfUserId "on_behalf_of_user_id" Text "userIdentity.onBehalfOf.userId" "The Identity Center user the call was made for.";
    OnBehalfOfIdentityStoreArn "on_behalf_of_identity_store_arn" Text "userIdentity.onBehalfOf.identityStoreArn" "The identity store of that user.";
    InScopeOfSourceArn "in_scope_of_source_arn" Text "userIdentity.inScopeOf.sourceArn" "The resource that made the service call, by ARN.";
    InScopeOfSourceAccount "in_scope_of_source_account" Text "userIdentity.inScopeOf.sourceAccount" "The account of that resource.";
    InScopeOfIssuerType "in_scope_of_issuer_type" Text "userIdentity.inScopeOf.issuerType" "What the credentials were issued to, e.g. `AWS::Lambda::Function`.";
    InScopeOfCredentialsIssuedTo "in_scope_of_credentials_issued_to" Text "userIdentity.inScopeOf.credentialsIssuedTo" "The resource the credentials were issued to, e.g. a function's ARN.";
    SessionIssuerType "session_issuer_type" Text "userIdentity.sessionContext.sessionIssuer.type" "The kind of principal that issued the session.";
    SessionIssuerPrincipalId "session_issuer_principal_id" Text "userIdentity.sessionContext.sessionIssuer.principalId" "The unique id of that principal.";
    SessionIssuerArn "session_issuer_arn" Text "userIdentity.sessionContext.sessionIssuer.arn" "The ARN of that principal, with its path.";
    SessionIssuerAccountId "session_issuer_account_id" Text "userIdentity.sessionContext.sessionIssuer.accountId" "The account of that principal.";
    SessionIssuerUserName "session_issuer_user_name" Text "userIdentity.sessionContext.sessionIssuer.userName" "The name of that role or user.";
    SessionCreationTime "session_creation_time" Time "userIdentity.sessionContext.attributes.creationDate" "When the session's credentials were issued.";
    SessionMfaAuthenticated "session_mfa_authenticated" Bool "userIdentity.sessionContext.attributes.mfaAuthenticated" "Whether the session was opened with MFA.";
    SessionSourceIdentity "session_source_identity" Text "userIdentity.sessionContext.sourceIdentity" "The identity set when the first role was assumed, kept through role chains.";
    SessionEc2RoleDelivery "session_ec2_role_delivery" Text "userIdentity.sessionContext.ec2RoleDelivery" "The version of the instance metadata service that handed out the credentials.";
    SessionAssumedRoot "session_assumed_root" Bool "userIdentity.sessionContext.assumedRoot" "Whether the session came from `AssumeRoot`.";
    SessionSignInSessionArn "session_sign_in_session_arn" Text "userIdentity.sessionContext.signInSessionArn" "The sign-in that the session belongs to, the same across its changing keys.";
    WebIdFederatedProvider "web_id_federated_provider" Text "userIdentity.sessionContext.webIdFederationData.federatedProvider" "The identity provider of a web identity session.";
    WebIdAttributes "web_id_attributes" Json "userIdentity.sessionContext.webIdFederationData.attributes" "The attributes that provider sent.";
    SessionCredentialFromConsole "session_credential_from_console" Bool "sessionCredentialFromConsole" "Whether the call came out of a console session; not set on every such call.";
    ViaService "via_service" Text "" "The AWS service that made the call on the caller's behalf (forward access session); null for direct calls.";
    IssuedAccessKeyId "issued_access_key_id" Text "" "The access key that this call issued, from its response.";
    IssuedPrincipal "issued_principal" Text "" "The principal of that key: a session's ARN, or a user's name.";
    RequestParameters "request_parameters" Json "requestParameters" "The request parameters, in full.";
    ResponseElements "response_elements" Json "responseElements" "The response, in full; CloudTrail records it for calls that change something.";
    AdditionalEventData "additional_event_data" Json "additionalEventData" "What else the service recorded, e.g. bytes transferred.";
    Resources "resources" Json "resources" "The resources touched, with ARN, account and type.";
    ServiceEventDetails "service_event_details" Json "serviceEventDetails" "What a service event was about.";
    RequestId "request_id" Text "requestID" "The service's id of the request; not unique.";
    EventType "event_type" Text "eventType" "E.g. `AwsApiCall`, `AwsServiceEvent`, `AwsConsoleSignIn`.";
    EventCategory "event_category" Text "eventCategory" "`Management`, `Data` or `NetworkActivity`.";
    EventVersion "event_version" Text "eventVersion" "The version of the record's format; `1.11` is newer than `1.9`.";
    ApiVersion "api_version" Text "apiVersion" "The version of the service's API.";
    ManagementEvent "management_event" Bool "managementEvent" "Whether it is a management event.";
    ReadOnly "read_only" Bool "readOnly" "Whether the call changes nothing; `AssumeRole` and `GetSecretValue` count as such.";
    RecipientAccountId "recipient_account_id" Text "recipientAccountId" "The account that received this copy of the event.";
    SharedEventId "shared_event_id" Text "sharedEventID" "The id that the copies of one call in several accounts share.";
    VpcEndpointId "vpc_endpoint_id" Text "vpcEndpointId" "The VPC endpoint the call went through.";
    VpcEndpointAccountId "vpc_endpoint_account_id" Text "vpcEndpointAccountId" "The account of that endpoint.";
    TlsVersion "tls_version" Text "tlsDetails.tlsVersion" "The TLS version of the connection.";
    TlsCipherSuite "tls_cipher_suite" Text "tlsDetails.cipherSuite" "The cipher suite of the connection.";
    TlsClientProvidedHostHeader "tls_client_provided_host_header" Text "tlsDetails.clientProvidedHostHeader" "The host name the client asked for.";
    TlsKeyExchange "tls_key_exchange" Text "tlsDetails.keyExchange" "The key exchange of the connection.";
    Addendum "addendum" Json "addendum" "Why the event was late, or which earlier event it corrects.";
    EventContext "event_context" Json "eventContext" "Tags and request context, where an event data store was enriched with them.";
    EdgeDeviceDetails "edge_device_details" Json "edgeDeviceDetails" "The edge device that was called.";
    OtherFields "other_fields" Json "" "Fields of the record that have no column, by path; nothing is discarded.";
    ContentSha256 "content_sha256" Text "" "SHA-256 of the record, only where AWS gave it no GUID: distinguishes copies from different records.";
    LogFile "log_file" Text "" "The log file the event was first read from.";
    LogFileRecord "log_file_record" Int "" "The position of the record in that log file, from 0.";
}

/// The partition column of `events`: the event's own day in UTC, not the day of its delivery.
pub const EVENT_DATE: &str = "event_date";

/// How many columns there are.
pub(crate) const WIDTH: usize = COLUMNS.len();

impl Field {
    /// All fields, in the order of [`COLUMNS`].
    pub fn all() -> &'static [Field] {
        FIELDS
    }

    /// The column this field names.
    pub fn column(self) -> &'static Column {
        &COLUMNS[self as usize]
    }

    /// The field with this column name.
    pub fn named(name: &str) -> Option<Field> {
        FIELDS
            .iter()
            .copied()
            .find(|field| field.column().name == name)
    }
}

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| projected(Field::all()));

/// The Arrow schema of all columns.
pub fn schema() -> SchemaRef {
    SchemaRef::clone(&SCHEMA)
}

/// The Arrow schema of some columns, in the order given.
pub fn projected(fields: &[Field]) -> SchemaRef {
    let fields = fields.iter().map(|field| {
        let column = field.column();
        let required = matches!(field, Field::EventTime | Field::EventId);
        ArrowField::new(column.name, column.kind.data_type(), !required)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_and_paths_are_unique_and_described() {
        let names: HashSet<_> = COLUMNS.iter().map(|column| column.name).collect();
        assert_eq!(names.len(), WIDTH);
        let paths: Vec<_> = COLUMNS
            .iter()
            .map(|column| column.path)
            .filter(|path| !path.is_empty())
            .collect();
        assert_eq!(paths.iter().collect::<HashSet<_>>().len(), paths.len());
        for (field, column) in Field::all().iter().zip(COLUMNS) {
            assert_eq!(Field::named(column.name), Some(*field));
            assert!(column.description.ends_with('.'), "{}", column.name);
        }
    }
}
