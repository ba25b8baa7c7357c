//! Who is told that something changed finds it changed, by whichever connection and on whichever core.

use crate::broker::Broker;
use crate::exact::{call, create_topic};
use klamm::protocol::messages::delete_topics::DeleteTopicsRequest;
use klamm::protocol::messages::metadata::MetadataRequest;
use std::net::TcpStream;

fn topics(stream: &mut TcpStream) -> Vec<String> {
    let request = MetadataRequest {
        topics: None,
        ..MetadataRequest::default()
    };
    let response = call(stream, 5, &request);
    let names = response.topics.into_iter().filter_map(|topic| topic.name);
    names.map(|name| name.to_string()).collect()
}

#[test]
fn what_one_connection_was_told_every_other_sees() {
    let broker = Broker::start(2);
    if !broker.is_klamm() {
        // Apache answers before all of a change has reached its brokers.
        return;
    }
    let mut streams: Vec<TcpStream> = (0..6).map(|_| broker.connect()).collect();
    for round in 0..50 {
        let name = format!("round-{round}");
        create_topic(&mut streams[round % 6], &name);
        for stream in &mut streams {
            assert_eq!(topics(stream), [name.as_str()], "after it was created");
        }
        let request = DeleteTopicsRequest {
            topic_names: vec![name.as_str().into()],
            timeout_ms: 10_000,
            ..DeleteTopicsRequest::default()
        };
        let response = call(&mut streams[(round + 1) % 6], 4, &request);
        assert_eq!(response.responses[0].error_code, 0);
        for stream in &mut streams {
            assert!(topics(stream).is_empty(), "after it was deleted");
        }
    }
}
