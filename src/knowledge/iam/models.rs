//! Bedrock's models: which resource does a model id name?
//!
//! In: a call that runs a model. Out: the action on the model. Promise: nothing but the model of the event is opened; an inference
//! profile is opened with its model, in every region to which it may send a request.
//!
//! Sources: <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html>,
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>

use super::super::arn::literal;
use super::call::{Call, Need, Open};
use super::names;
use super::parameters::Parameters;

/// What inference profiles of the system begin with, before the model's id.
const AREAS: [&str; 10] = [
    "us.", "us-gov.", "eu.", "apac.", "jp.", "au.", "ca.", "sa.", "me.", "global.",
];

/// The needs of a call that runs a model; none for other calls.
pub(super) fn needs(call: &Call<'_>, parameters: &Parameters) -> Option<Vec<Need>> {
    let actions = names::actions_of("bedrock", call.operation, &|_, _| false);
    let runs = actions
        .iter()
        .any(|action| action.starts_with("bedrock:InvokeModel"));
    let model = parameters.text("modelId").filter(|_| runs)?;
    let mut needs = Vec::new();
    for action in &actions {
        let resources = resources(call, model);
        needs.extend(
            resources
                .into_iter()
                .map(|resource| Need::new(action.clone(), resource)),
        );
        if model.contains(":application-inference-profile/") {
            needs.push(Need::open(action, &literal(model), Open::ProfileModels));
        }
    }
    Some(needs)
}

fn resources(call: &Call<'_>, model: &str) -> Vec<String> {
    let partition = call.partition();
    let (region, account) = (call.region, call.account);
    let profile = |id: &str, arn: String| {
        let base = AREAS.iter().find_map(|area| id.strip_prefix(area));
        let models = base.map(|base| {
            format!(
                "arn:{partition}:bedrock:*::foundation-model/{}",
                literal(base)
            )
        });
        [Some(arn), models].into_iter().flatten().collect()
    };
    if model.starts_with("arn:") {
        return match model.split_once(":inference-profile/") {
            Some((_, id)) => profile(id, literal(model)),
            None => vec![literal(model)],
        };
    }
    if AREAS.iter().any(|area| model.starts_with(area)) {
        let id = literal(model);
        let arn = format!("arn:{partition}:bedrock:{region}:{account}:inference-profile/{id}");
        return profile(model, arn);
    }
    let id = literal(model);
    vec![format!(
        "arn:{partition}:bedrock:{region}::foundation-model/{id}"
    )]
}
