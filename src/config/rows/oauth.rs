//! SASL by OAuth bearer tokens.

use super::reasons::NO_SASL;
use crate::config::setting::Class::WithoutEffect;
use crate::config::setting::Validator::{Any, Between, OneOfIgnoringCase};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static OAUTH: &[Setting] = rows! {
    "sasl.oauthbearer.allow.unverified.audience": Boolean = "false",
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "Whether tokens are taken for whomever they are meant.";
    "sasl.oauthbearer.allow.unverified.issuer": Boolean = "false",
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "Whether tokens are taken of any issuer.";
    "sasl.oauthbearer.assertion.algorithm": String = "RS256",
        Medium, ReadOnly, OneOfIgnoringCase(&["ES256", "RS256"]), WithoutEffect(NO_SASL),
        "How an assertion is signed.";
    "sasl.oauthbearer.assertion.claim.aud": String = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "For whom an assertion is meant.";
    "sasl.oauthbearer.assertion.claim.exp.seconds": Int = "300",
        Low, ReadOnly, Between(0, 86_400), WithoutEffect(NO_SASL),
        "How long an assertion is valid, in seconds.";
    "sasl.oauthbearer.assertion.claim.iss": String = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "Who issues an assertion.";
    "sasl.oauthbearer.assertion.claim.jti.include": Boolean = "false",
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "Whether an assertion bears an id of its own.";
    "sasl.oauthbearer.assertion.claim.nbf.seconds": Int = "60",
        Low, ReadOnly, Between(0, 3_600), WithoutEffect(NO_SASL),
        "How long before now an assertion begins to be valid, in seconds.";
    "sasl.oauthbearer.assertion.claim.sub": String = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "Of whom an assertion speaks.";
    "sasl.oauthbearer.assertion.file": String = null, Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "File that holds a finished assertion.";
    "sasl.oauthbearer.assertion.private.key.file": String = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "File with the key that signs assertions.";
    "sasl.oauthbearer.assertion.private.key.passphrase": Password = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "Password of that key.";
    "sasl.oauthbearer.assertion.template.file": String = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "File with further claims of an assertion.";
    "sasl.oauthbearer.client.credentials.client.id": String = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "Id by which this node asks for tokens.";
    "sasl.oauthbearer.client.credentials.client.secret": Password = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "Secret by which this node asks for tokens.";
    "sasl.oauthbearer.clock.skew.seconds": Int = "30", Low, ReadOnly, Any, WithoutEffect(NO_SASL),
        "How far the clock of the identity provider may be off, in seconds.";
    "sasl.oauthbearer.expected.audience": List = "", High, ReadOnly, Any, WithoutEffect(NO_SASL),
        "Audiences of which a token must name one.";
    "sasl.oauthbearer.expected.issuer": String = null, High, ReadOnly, Any, WithoutEffect(NO_SASL),
        "Issuer that a token must name.";
    "sasl.oauthbearer.jwks.endpoint.refresh.ms": Long = "3600000",
        Low, ReadOnly, Any, WithoutEffect(NO_SASL),
        "How often the keys of the identity provider are fetched.";
    "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms": Long = "10000",
        Low, ReadOnly, Any, WithoutEffect(NO_SASL),
        "Longest pause before they are fetched again after an error.";
    "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms": Long = "100",
        Low, ReadOnly, Any, WithoutEffect(NO_SASL),
        "First pause before they are fetched again after an error.";
    "sasl.oauthbearer.jwks.endpoint.url": String = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "Where the identity provider has its keys.";
    "sasl.oauthbearer.jwt.retriever.class": Class = "org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever",
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "Java class that gets a token.";
    "sasl.oauthbearer.jwt.validator.class": Class = "org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator",
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "Java class that checks a token.";
    "sasl.oauthbearer.scope": String = null, Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "Scope for which a token is asked.";
    "sasl.oauthbearer.scope.claim.name": String = "scope",
        Low, ReadOnly, Any, WithoutEffect(NO_SASL),
        "Name of the claim that holds a token's scope.";
    "sasl.oauthbearer.sub.claim.name": String = "sub", Low, ReadOnly, Any, WithoutEffect(NO_SASL),
        "Name of the claim that says of whom a token speaks.";
    "sasl.oauthbearer.token.endpoint.url": String = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "Where tokens are asked for.";
};
