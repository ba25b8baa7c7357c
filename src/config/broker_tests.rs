use super::*;

#[test]
fn the_built_in_file_makes_a_broker() {
    let configuration = Configuration::default();
    assert_eq!(configuration.node_id(), NodeId(1));
    assert_eq!(configuration.log_dirs(), ["./klamm-data"]);
    assert_eq!(configuration.listeners()[0].address(), "127.0.0.1:9092");
    assert_eq!(configuration.cores(), None);
    assert!(super::super::accessors::call_all(&configuration) > 50);
}
