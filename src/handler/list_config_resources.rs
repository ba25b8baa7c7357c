//! ListConfigResources (key 74): what there is that could have settings of its own: topics, brokers,
//! and the groups and subscriptions to client metrics that have some. KIP-1142.

use super::{Context, Outcome, Request, Responder, code, decode};
use crate::metadata::image::configs::ConfigResourceType;
use crate::protocol::api::ApiKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::list_config_resources::{
    ConfigResource, ListConfigResourcesRequest, ListConfigResourcesResponse,
};
use crate::protocol::string::Str;

/// First version that can ask for anything but subscriptions to client metrics.
const ALL_TYPES_SINCE: i16 = 1;

/// What is listed where no type is asked for.
const ALL_TYPES: &[ConfigResourceType] = &[
    ConfigResourceType::TOPIC,
    ConfigResourceType::BROKER,
    ConfigResourceType::BROKER_LOGGER,
    ConfigResourceType::CLIENT_METRICS,
    ConfigResourceType::GROUP,
];

pub(super) fn begin(context: &Context<'_>, request: &mut Request) -> Outcome {
    let message: ListConfigResourcesRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let responder = Responder::of(&request.header, ApiKey::ListConfigResources);
    let asked: Vec<ConfigResourceType> = if responder.version < ALL_TYPES_SINCE {
        vec![ConfigResourceType::CLIENT_METRICS]
    } else if message.resource_types.is_empty() {
        ALL_TYPES.to_vec()
    } else {
        message
            .resource_types
            .iter()
            .map(|&code| ConfigResourceType(code))
            .collect()
    };
    if !asked.iter().all(|asked| ALL_TYPES.contains(asked)) {
        return responder.reply(&ListConfigResourcesResponse {
            error_code: code(ErrorCode::UNSUPPORTED_VERSION),
            ..ListConfigResourcesResponse::default()
        });
    }
    let mut config_resources = Vec::new();
    // Each type once, however often it is named.
    for resource_type in ALL_TYPES.iter().filter(|one| asked.contains(one)) {
        let resources = names(context, *resource_type).into_iter();
        config_resources.extend(resources.map(|resource_name| ConfigResource {
            resource_name,
            resource_type: resource_type.0,
            ..ConfigResource::default()
        }));
    }
    responder.reply(&ListConfigResourcesResponse {
        config_resources,
        ..ListConfigResourcesResponse::default()
    })
}

fn names(context: &Context<'_>, resource_type: ConfigResourceType) -> Vec<Str> {
    let image = context.image;
    match resource_type {
        ConfigResourceType::TOPIC => {
            let topics = image.topics.iter();
            topics.map(|topic| Str::from(&*topic.name)).collect()
        }
        ConfigResourceType::BROKER | ConfigResourceType::BROKER_LOGGER => {
            let brokers = image.cluster.brokers.iter();
            brokers
                .filter(|(_, broker)| !broker.fenced)
                .map(|(id, _)| Str::from(id.to_string()))
                .collect()
        }
        with_settings => image
            .configs
            .iter()
            .filter(|(found, _, settings)| *found == with_settings && !settings.is_empty())
            .map(|(_, name, _)| Str::from(&**name))
            .collect(),
    }
}
