//! API Gateway: its actions are the methods of HTTP, its resources the paths.
//!
//! In: a call of the management API. Out: the method on the path of the thing that the call names. Promise: a call that names an API
//! opens nothing of another API; a path that the table below does not know stays within what the event names.
//!
//! Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_apigatewaymanagement.html>

use super::super::arn::literal;
use super::call::{Call, Need};
use super::names;
use super::parameters::Parameters;

/// Collections that a parameter names a member of: the parameter, the path, and the noun that names it in calls.
const COLLECTIONS: [(&str, &str, &str); 8] = [
    ("restApiId", "restapis", "RestApi"),
    ("apiId", "apis", "Api"),
    ("domainName", "domainnames", "DomainName"),
    ("usagePlanId", "usageplans", "UsagePlan"),
    ("usageplanId", "usageplans", "UsagePlan"),
    ("apiKey", "apikeys", "ApiKey"),
    ("vpcLinkId", "vpclinks", "VpcLink"),
    (
        "clientCertificateId",
        "clientcertificates",
        "ClientCertificate",
    ),
];

/// What lies below a member, by the noun of the call, the longer nouns first.
const BELOW: [(&str, &str); 27] = [
    ("IntegrationResponse", "*"),
    ("MethodResponse", "*"),
    ("RouteResponse", "*"),
    ("RouteSettings", "stages/*"),
    ("AccessLogSettings", "stages/*"),
    ("AuthorizersCache", "stages/*"),
    ("CorsConfiguration", "cors"),
    ("DocumentationPart", "documentation/parts"),
    ("DocumentationVersion", "documentation/versions"),
    ("GatewayResponse", "gatewayresponses"),
    ("RequestValidator", "requestvalidators"),
    ("BasePathMapping", "basepathmappings"),
    ("ApiMapping", "apimappings"),
    ("ModelTemplate", "models/*"),
    ("UsagePlanKey", "keys"),
    ("Usage", "*"),
    ("Authorizer", "authorizers"),
    ("Deployment", "deployments"),
    ("Integration", "*"),
    ("Resource", "resources"),
    ("Method", "*"),
    ("Route", "routes"),
    ("Export", "stages/*"),
    ("Stage", "stages"),
    ("Model", "models"),
    ("Policy", "*"),
    ("Sdk", "stages/*"),
];

/// The needs of a call of API Gateway.
pub(super) fn needs(call: &Call<'_>, parameters: &Parameters) -> Option<Vec<Need>> {
    let actions = names::actions_of("apigateway", call.operation, &|name, value| {
        parameters.given(name, value)
    });
    let paths = paths(call.operation, parameters);
    let (partition, region) = (call.partition(), call.region);
    let arn = |path: &String| format!("arn:{partition}:apigateway:{region}::{path}");
    let needs = actions.iter().flat_map(|action| {
        let arns = paths.iter().map(arn);
        arns.map(|arn| Need::new(action.clone(), arn))
            .collect::<Vec<_>>()
    });
    Some(needs.collect())
}

fn paths(operation: &str, parameters: &Parameters) -> Vec<String> {
    if operation.ends_with("Account") {
        return vec!["/account".to_owned()];
    }
    if matches!(operation, "TagResource" | "UntagResource" | "GetTags") {
        return vec!["/tags/*".to_owned()];
    }
    let verb = operation.find(|c: char| c.is_ascii_uppercase() && !operation.starts_with(c));
    let noun = operation
        .char_indices()
        .skip(1)
        .find(|(_, c)| c.is_ascii_uppercase())
        .map(|(at, _)| at)
        .or(verb)
        .map_or(operation, |at| &operation[at..]);
    let singular = noun.strip_suffix('s').unwrap_or(noun);
    let makes = operation.starts_with("Create") || operation.starts_with("Import");
    let member = COLLECTIONS.iter().find_map(|(name, path, of)| {
        let id = parameters.text(name)?;
        Some((format!("/{path}/{}", literal(id)), *path, *of))
    });
    match member {
        // `CreateDomainName` names what it makes: its path is the collection.
        Some((_, path, of)) if of == singular && makes => vec![format!("/{path}")],
        Some((path, _, of)) if of == singular => vec![path],
        Some((path, _, _)) => match BELOW.iter().find(|(name, _)| singular.starts_with(name)) {
            Some((_, below)) if below.contains('*') => vec![format!("{path}/{below}")],
            Some((_, below)) if makes => vec![format!("{path}/{below}")],
            Some((_, below)) if noun.ends_with('s') && noun != singular => {
                vec![format!("{path}/{below}")]
            }
            Some((_, below)) => vec![format!("{path}/{below}"), format!("{path}/{below}/*")],
            None => vec![path.clone(), format!("{path}/*")],
        },
        None => {
            let known = COLLECTIONS
                .iter()
                .find(|(_, _, of)| singular.trim_end_matches('V').starts_with(of));
            match known {
                Some((_, path, _)) => vec![format!("/{path}")],
                None => vec!["/*".to_owned()],
            }
        }
    }
}
