//! DescribeConfigs (key 32): every key of a topic, a broker, or the cluster's default, with where its
//! value comes from. KIP-133, KIP-226.

use super::{Context, Outcome, Request, Responder, code, decode};
use crate::config::Overrides;
use crate::config::describe::{
    ConfigRow, describe_broker, describe_client_metrics, describe_cluster, describe_group,
    describe_topic,
};
use crate::metadata::image::configs::ConfigResourceType;
use crate::partition::settings::overrides;
use crate::protocol::api::ApiKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
    DescribeConfigsResponse, DescribeConfigsResult, DescribeConfigsSynonym,
};
use crate::protocol::string::Str;

pub(super) fn begin(context: &mut Context<'_>, request: &mut Request) -> Outcome {
    let message: DescribeConfigsRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let (synonyms, documentation) = (message.include_synonyms, message.include_documentation);
    let results = message
        .resources
        .into_iter()
        .map(|resource| {
            let mut result = DescribeConfigsResult {
                resource_type: resource.resource_type,
                resource_name: resource.resource_name.clone(),
                // Apache's are empty, not null, where nothing went wrong.
                error_message: Some(Str::default()),
                ..DescribeConfigsResult::default()
            };
            match rows(context, &resource) {
                Ok(rows) => {
                    result.configs = rows
                        .into_iter()
                        .filter(|row| is_asked(&resource, &row.name))
                        .map(|row| encode(row, synonyms, documentation))
                        .collect();
                }
                Err((error, why)) => {
                    result.error_code = code(error);
                    result.error_message = Some(Str::from(why));
                }
            }
            result
        })
        .collect();
    let responder = Responder::of(&request.header, ApiKey::DescribeConfigs);
    responder.reply(&DescribeConfigsResponse {
        results,
        ..DescribeConfigsResponse::default()
    })
}

fn rows(
    context: &Context<'_>,
    resource: &DescribeConfigsResource,
) -> Result<Vec<ConfigRow>, (ErrorCode, String)> {
    let name = &*resource.resource_name;
    let resource_type = ConfigResourceType(resource.resource_type);
    let own: Overrides = overrides(context.image.configs.settings(resource_type, name));
    match resource_type {
        ConfigResourceType::TOPIC => {
            crate::controller::check_topic_name(name)
                .map_err(|why| (ErrorCode::INVALID_TOPIC_EXCEPTION, why))?;
            if context.image.topics.by_name(name).is_none() {
                return Err((ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, String::new()));
            }
            Ok(describe_topic(&own, context.configuration))
        }
        ConfigResourceType::BROKER if name.is_empty() => {
            Ok(describe_cluster(context.configuration))
        }
        ConfigResourceType::BROKER => {
            let node_id = context.configuration.node_id();
            match name.parse::<i32>() {
                Ok(id) if id == node_id.0 => Ok(describe_broker(context.configuration)),
                Ok(id) => Err((
                    ErrorCode::INVALID_REQUEST,
                    format!(
                        "Unexpected broker id, expected {node_id} or empty string, but received {id}"
                    ),
                )),
                Err(_) => Err((
                    ErrorCode::INVALID_REQUEST,
                    format!("Broker id must be an integer, but it is: {name}"),
                )),
            }
        }
        ConfigResourceType::GROUP if !name.is_empty() => {
            Ok(describe_group(&own, context.configuration))
        }
        ConfigResourceType::CLIENT_METRICS if !name.is_empty() => Ok(describe_client_metrics(&own)),
        ConfigResourceType::GROUP => Err((
            ErrorCode::INVALID_REQUEST,
            "Group name must not be empty".to_owned(),
        )),
        ConfigResourceType::CLIENT_METRICS => Err((
            ErrorCode::INVALID_REQUEST,
            "Client metrics subscription name must not be empty".to_owned(),
        )),
        // klamm has no loggers whose level could be read or set by name.
        ConfigResourceType::BROKER_LOGGER => Ok(Vec::new()),
        _ => Err((
            ErrorCode::INVALID_REQUEST,
            format!(
                "Unsupported resource type {} or name",
                resource.resource_type
            ),
        )),
    }
}

fn is_asked(resource: &DescribeConfigsResource, name: &str) -> bool {
    // An empty list means all, as null does: Kafka took it so for old clients (KAFKA-9069).
    match &resource.configuration_keys {
        Some(keys) if !keys.is_empty() => keys.iter().any(|key| **key == *name),
        Some(_) | None => true,
    }
}

fn encode(row: ConfigRow, synonyms: bool, documentation: bool) -> DescribeConfigsResourceResult {
    DescribeConfigsResourceResult {
        name: Str::from(row.name),
        value: row.value.map(Str::from),
        read_only: row.read_only,
        config_source: row.source.code(),
        is_sensitive: row.sensitive,
        synonyms: if synonyms {
            row.synonyms
                .into_iter()
                .map(|synonym| DescribeConfigsSynonym {
                    name: Str::from(synonym.name),
                    value: synonym.value.map(Str::from),
                    source: synonym.source.code(),
                    ..DescribeConfigsSynonym::default()
                })
                .collect()
        } else {
            Vec::new()
        },
        config_type: row.value_type.code(),
        documentation: documentation.then(|| Str::from(row.documentation)),
        ..DescribeConfigsResourceResult::default()
    }
}
