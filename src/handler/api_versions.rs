//! ApiVersions (key 18): what this broker serves. Every client asks it first.

use super::{Context, Outcome, Request, Responder, SERVED, code, decode};
use crate::metadata::features::FEATURES;
use crate::protocol::api::ApiKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::api_versions::{
    ApiVersion, ApiVersionsRequest, ApiVersionsResponse, FinalizedFeatureKey, SupportedFeatureKey,
};
use crate::protocol::string::Str;

/// Features whose minimum is 0 are hidden below this version: old clients choke on them (KAFKA-17492).
const ZERO_MINIMUM_SINCE: i16 = 4;
/// librdkafka before 2.11.1 compresses only where Produce 0 is advertised (KAFKA-18659). It is
/// advertised, and refused, as Apache Kafka does both.
const PRODUCE_ADVERTISED_MIN: i16 = 0;

pub(super) fn begin(context: &mut Context<'_>, request: &mut Request) -> Outcome {
    let version = request.header.api_version;
    let message: ApiVersionsRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let responder = Responder::of(&request.header, ApiKey::ApiVersions);
    let mut response = ApiVersionsResponse::default();
    if version >= 3
        && !(is_software_word(&message.client_software_name)
            && is_software_word(&message.client_software_version))
    {
        response.error_code = code(ErrorCode::INVALID_REQUEST);
        return responder.reply(&response);
    }
    // KIP-1242: a client that meant another cluster or node shall look for its own again.
    let is_ours = message
        .cluster_id
        .is_none_or(|id| *id == *context.broker.cluster_id)
        && (message.node_id == -1 || message.node_id == context.configuration.node_id().0);
    if version >= 5 && !is_ours {
        response.error_code = code(ErrorCode::REBOOTSTRAP_REQUIRED);
        return responder.reply(&response);
    }
    response.api_keys = SERVED.iter().map(|api| advertised(*api)).collect();
    response.supported_features = FEATURES
        .iter()
        .filter(|feature| version >= ZERO_MINIMUM_SINCE || feature.supported.min > 0)
        .map(|feature| SupportedFeatureKey {
            name: Str::from(feature.name),
            min_version: feature.supported.min,
            max_version: feature.supported.max,
            ..SupportedFeatureKey::default()
        })
        .collect();
    response.finalized_features_epoch = context.image.provenance.last_offset.0;
    response.finalized_features = context
        .image
        .features
        .iter()
        .map(|(name, level)| FinalizedFeatureKey {
            name: Str::from(name),
            max_version_level: level,
            min_version_level: level,
            ..FinalizedFeatureKey::default()
        })
        .collect();
    responder.reply(&response)
}

/// A version that is not served is answered in version 0, with the versions that are: the client asks
/// again. KIP-511.
pub(super) fn unsupported(request: &Request) -> Outcome {
    let responder = Responder {
        api: ApiKey::ApiVersions,
        version: 0,
        correlation_id: request.header.correlation_id,
    };
    responder.reply(&ApiVersionsResponse {
        error_code: code(ErrorCode::UNSUPPORTED_VERSION),
        api_keys: vec![advertised(ApiKey::ApiVersions)],
        ..ApiVersionsResponse::default()
    })
}

fn advertised(api: ApiKey) -> ApiVersion {
    let versions = api.versions();
    let min_version = if api == ApiKey::Produce {
        PRODUCE_ADVERTISED_MIN
    } else {
        versions.low
    };
    ApiVersion {
        api_key: api.code(),
        min_version,
        max_version: versions.high,
        ..ApiVersion::default()
    }
}

/// Kafka's pattern for names and versions of client software: `[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?`.
fn is_software_word(word: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    let bytes = word.as_bytes();
    bytes.iter().all(|byte| is_inner(*byte))
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_words_are_kafkas() {
        assert!(is_software_word("apache-kafka-java"));
        assert!(is_software_word("4.3.1"));
        assert!(is_software_word("a"));
        for word in ["", "-a", "a.", "a b", "ü"] {
            assert!(!is_software_word(word), "{word}");
        }
    }
}
