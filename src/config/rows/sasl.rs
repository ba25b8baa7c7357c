//! SASL: Kerberos, logins and mechanisms.

use super::reasons::{ALONE, NO_SASL, SASL_CALLBACK};
use crate::config::setting::Class::{Refused, WithoutEffect};
use crate::config::setting::Validator::Any;
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static SASL: &[Setting] = rows! {
    "sasl.client.callback.handler.class": Class = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "Java class that answers for the client side of a login.";
    "sasl.enabled.mechanisms": List = "GSSAPI", Medium, PerBroker, Any, WithoutEffect(NO_SASL),
        "Ways to log in that are offered.";
    "sasl.jaas.config": Password = null, Medium, PerBroker, Any, WithoutEffect(NO_SASL),
        "Login of this node, and of its clients, in the form of JAAS.";
    "sasl.kerberos.kinit.cmd": String = "/usr/bin/kinit",
        Medium, PerBroker, Any, WithoutEffect(NO_SASL),
        "Path of Kerberos's kinit.";
    "sasl.kerberos.min.time.before.relogin": Long = "60000",
        Medium, PerBroker, Any, WithoutEffect(NO_SASL),
        "Shortest time between two renewals of a Kerberos ticket.";
    "sasl.kerberos.principal.to.local.rules": List = "DEFAULT",
        Medium, PerBroker, Any, WithoutEffect(NO_SASL),
        "Rules that make short names of Kerberos principals.";
    "sasl.kerberos.service.name": String = null, Medium, PerBroker, Any, WithoutEffect(NO_SASL),
        "Name under which Kafka runs in Kerberos.";
    "sasl.kerberos.ticket.renew.jitter": Double = "0.05",
        Medium, PerBroker, Any, WithoutEffect(NO_SASL),
        "Random part of the time at which a ticket is renewed.";
    "sasl.kerberos.ticket.renew.window.factor": Double = "0.8",
        Medium, PerBroker, Any, WithoutEffect(NO_SASL),
        "Share of a ticket's life after which it is renewed.";
    "sasl.login.callback.handler.class": Class = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "Java class that answers when this node logs in.";
    "sasl.login.class": Class = null, Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "Java class by which this node logs in.";
    "sasl.login.connect.timeout.ms": Int = null, Low, ReadOnly, Any, WithoutEffect(NO_SASL),
        "How long to wait for a connection to the identity provider.";
    "sasl.login.read.timeout.ms": Int = null, Low, ReadOnly, Any, WithoutEffect(NO_SASL),
        "How long to wait for an answer of the identity provider.";
    "sasl.login.refresh.buffer.seconds": Short = "300",
        Medium, PerBroker, Any, WithoutEffect(NO_SASL),
        "Time that a credential should still be valid when it is renewed, in seconds.";
    "sasl.login.refresh.min.period.seconds": Short = "60",
        Medium, PerBroker, Any, WithoutEffect(NO_SASL),
        "Shortest time between two renewals of a credential, in seconds.";
    "sasl.login.refresh.window.factor": Double = "0.8",
        Medium, PerBroker, Any, WithoutEffect(NO_SASL),
        "Share of a credential's life after which it is renewed.";
    "sasl.login.refresh.window.jitter": Double = "0.05",
        Medium, PerBroker, Any, WithoutEffect(NO_SASL),
        "Random part of that share.";
    "sasl.login.retry.backoff.max.ms": Long = "10000", Low, ReadOnly, Any, WithoutEffect(NO_SASL),
        "Longest pause before the identity provider is asked again.";
    "sasl.login.retry.backoff.ms": Long = "100", Low, ReadOnly, Any, WithoutEffect(NO_SASL),
        "First pause before the identity provider is asked again.";
    "sasl.mechanism.controller.protocol": String = "GSSAPI",
        High, ReadOnly, Any, WithoutEffect(ALONE),
        "How brokers log in at the controllers.";
    "sasl.mechanism.inter.broker.protocol": String = "GSSAPI",
        Medium, PerBroker, Any, WithoutEffect(ALONE),
        "How brokers log in at each other.";
    "sasl.server.callback.handler.class": Class = null,
        Medium, ReadOnly, Any, Refused(SASL_CALLBACK),
        "Java class that checks the logins of clients.";
    "sasl.server.max.receive.size": Int = "524288", Medium, ReadOnly, Any, WithoutEffect(NO_SASL),
        "Largest message of a client that logs in.";
};
