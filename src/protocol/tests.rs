//! The codec against itself: what it writes it reads, and what is no message is an error.

use crate::base::prng::Prng;
use crate::base::uuid::Uuid;
use crate::protocol::catalogue::{RewriteError, entries};
use crate::protocol::messages::fetch::{
    FetchPartition, FetchTopic, FetchableTopicResponse, PartitionData,
};
use crate::protocol::messages::metadata::MetadataRequestTopic;
use crate::protocol::messages::produce::{PartitionProduceData, TopicProduceData};
use crate::protocol::messages::*;
use crate::protocol::*;
use bytes::{BufMut, Bytes, BytesMut};

#[test]
fn every_version_of_every_message_is_read_as_it_was_written() {
    let mut prng = Prng::new(1);
    for entry in entries() {
        for version in entry.versions.iter() {
            for _ in 0..20 {
                let bytes = entry.arbitrary(&mut prng, version);
                assert_eq!(
                    entry.rewrite(bytes.clone(), version),
                    Ok(bytes),
                    "{} v{version}",
                    entry.name
                );
            }
        }
    }
}

#[test]
fn every_cut_of_a_message_is_an_error() {
    let mut prng = Prng::new(2);
    for entry in entries() {
        for version in entry.versions.iter() {
            let bytes = entry.arbitrary(&mut prng, version);
            for end in 0..bytes.len() {
                let cut = entry.rewrite(bytes.slice(..end), version);
                assert!(
                    matches!(cut, Err(RewriteError::Decode(_))),
                    "{} v{version} cut at {end}: {cut:?}",
                    entry.name
                );
            }
        }
    }
}

#[test]
fn random_and_flipped_bytes_are_an_error_or_a_value() {
    let mut prng = Prng::new(3);
    for entry in entries() {
        for version in entry.versions.iter() {
            for round in 0..60 {
                let mut bytes = if round % 3 == 0 {
                    let mut bytes = vec![0; prng.index(64)];
                    prng.fill(&mut bytes);
                    BytesMut::from(&bytes[..])
                } else {
                    BytesMut::from(&entry.arbitrary(&mut prng, version)[..])
                };
                for _ in 0..=prng.index(3) {
                    if !bytes.is_empty() {
                        let place = prng.index(bytes.len());
                        bytes[place] ^= 1 << prng.below(8);
                    }
                }
                match entry.rewrite(bytes.freeze(), version) {
                    Ok(_) | Err(RewriteError::Decode(_)) => {}
                    Err(RewriteError::Encode(error)) => {
                        panic!(
                            "{} v{version} was read but cannot be written: {error}",
                            entry.name
                        )
                    }
                }
            }
        }
    }
}

/// Wherever a length may stand, it claims as much as it can.
#[test]
fn huge_claims_are_errors_and_reserve_nothing() {
    let mut prng = Prng::new(4);
    for entry in entries() {
        for version in entry.versions.iter() {
            let bytes = entry.arbitrary(&mut prng, version);
            for place in 0..bytes.len() {
                for claim in [
                    &[0x7F, 0xFF, 0xFF, 0xFF][..],
                    &[0xFF, 0xFF, 0xFF, 0xFF, 0x07][..],
                    &[0xFF, 0xFF, 0xFF, 0xFF, 0x0F][..],
                    &[0x80, 0xDA, 0xC4, 0x09][..],
                ] {
                    let mut hostile = BytesMut::from(&bytes[..place]);
                    hostile.put_slice(claim);
                    hostile.put_slice(&bytes[(place + claim.len()).min(bytes.len())..]);
                    // The test would run out of memory if a claim were believed.
                    drop(entry.rewrite(hostile.freeze(), version));
                }
            }
        }
    }
}

#[test]
fn an_array_reserves_no_more_than_the_frame_has() {
    // A produce request of version 3 that claims as many topics as the rest of the frame could
    // hold, each of the smallest size, and holds none.
    let mut frame = BytesMut::new();
    frame.put_i16(-1);
    frame.put_i16(1);
    frame.put_i32(0);
    frame.put_i32(10_000);
    frame.put_slice(&[0; 60_000]);
    let mut reader = Reader::new(frame.freeze());
    let request = ProduceRequest::decode(&mut reader, 3).expect("ten thousand empty topics");
    assert_eq!(request.topic_data.len(), 10_000);

    let mut frame = BytesMut::new();
    frame.put_i32(2);
    frame.put_slice(&[0xFF; 1000]);
    let error =
        Vec::<TopicProduceData>::read(&mut Reader::new(frame.freeze()), ProduceRequest::shape(3))
            .expect_err("a name of -1 bytes is null");
    assert_eq!(
        error.to_string(),
        "TopicProduceData.name: null, which this version does not allow here"
    );
}

#[test]
fn twenty_million_tagged_fields_are_refused() {
    let mut frame = BytesMut::new();
    frame.put_i16(ApiKey::ApiVersions.code());
    frame.put_i16(4);
    frame.put_i32(7);
    frame.put_i16(-1);
    frame.put_slice(&[0x80, 0xDA, 0xC4, 0x09]);
    frame.put_slice(&[0; 1 << 16]);
    let error = decode_request_header(frame.freeze()).expect_err("too many");
    assert_eq!(error.reason, DecodeReason::TaggedFieldCount(20_000_000));
    assert_eq!(
        error.to_string(),
        "RequestHeader.tagged_fields: claims 20000000 tagged fields"
    );
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_fetch_response_leaves_holes_for_records_that_lie_elsewhere() {
    let partition = |index, records| PartitionData {
        partition_index: index,
        aborted_transactions: None,
        records: Some(records),
        ..PartitionData::default()
    };
    let response = |records: [Records; 2]| {
        let [first, second] = records;
        FetchResponse {
            responses: vec![FetchableTopicResponse {
                topic_id: Uuid([7; 16]),
                partitions: vec![partition(0, first), partition(1, second)],
                ..FetchableTopicResponse::default()
            }],
            ..FetchResponse::default()
        }
    };
    let first = Bytes::from(vec![0xAA; 300]);
    let second = Bytes::from(vec![0xBB; 5]);
    for version in ApiKey::Fetch.versions().iter() {
        let whole = response([first.clone().into(), second.clone().into()]);
        let whole = encode_response(ApiKey::Fetch, version, 9, &whole).expect("encodes");
        let holes = response([
            Records::Elsewhere {
                bytes: 300,
                token: 1,
            },
            Records::Elsewhere { bytes: 5, token: 2 },
        ]);
        let holes = encode_response(ApiKey::Fetch, version, 9, &holes).expect("encodes");
        assert_eq!(holes.wire_bytes(), whole.bytes.len());
        let mut stitched = Vec::new();
        let mut position = 0;
        for hole in &holes.holes {
            stitched.extend_from_slice(&holes.bytes[position..hole.position]);
            stitched.extend_from_slice(if hole.token == 1 { &first } else { &second });
            position = hole.position;
        }
        stitched.extend_from_slice(&holes.bytes[position..]);
        assert_eq!(
            hexadecimal(&stitched),
            hexadecimal(&whole.bytes),
            "v{version}"
        );
        let size = i32::from_be_bytes(*whole.bytes.first_chunk().expect("a size"));
        assert_eq!(
            usize::try_from(size).expect("positive") + 4,
            whole.bytes.len()
        );

        let (correlation_id, mut reader) =
            decode_response_header(whole.bytes.slice(4..), ApiKey::Fetch, version)
                .expect("a header");
        assert_eq!(correlation_id, 9);
        let read = FetchResponse::decode(&mut reader, version).expect("a response");
        let records = read.responses[0].partitions[0]
            .records
            .as_ref()
            .expect("records");
        assert_eq!(records.bytes(), Some(&first));
        reader.expect_end().expect("nothing follows");
    }
}

#[test]
fn records_of_a_produce_request_are_a_slice_of_its_frame() {
    let request = ProduceRequest {
        acks: -1,
        timeout_ms: 1500,
        topic_data: vec![TopicProduceData {
            name: "orders".into(),
            partition_data: vec![PartitionProduceData {
                index: 3,
                records: Some(Bytes::from_static(b"a batch of records").into()),
                ..PartitionProduceData::default()
            }],
            ..TopicProduceData::default()
        }],
        ..ProduceRequest::default()
    };
    for version in 3..=12 {
        let frame = encode_request(ApiKey::Produce, version, 5, Some("me"), &request)
            .expect("encodes")
            .bytes
            .slice(4..);
        let (header, mut reader) = decode_request_header(frame.clone()).expect("a header");
        assert_eq!(header.api_key, ApiKey::Produce);
        assert_eq!(header.client_id, Some("me".into()));
        let read: ProduceRequest = decode_request(&mut reader, &header).expect("a request");
        assert_eq!(read, request);
        let records = read.topic_data[0].partition_data[0]
            .records
            .as_ref()
            .expect("records");
        let records = records.bytes().expect("in memory");
        assert!(frame.as_ptr_range().contains(&records.as_ptr()));
    }
}

#[test]
fn what_a_version_lacks_is_refused_or_left_out() {
    let mut request = FetchRequest::default();
    request.replica_state.replica_id = 4;
    let error = encode_request(ApiKey::Fetch, 12, 0, None, &request).expect_err("not ignorable");
    assert_eq!(
        error.to_string(),
        "FetchRequest.replica_state: is set, and version 12 cannot say it"
    );
    let request = FetchRequest {
        rack_id: "here".into(),
        topics: vec![FetchTopic {
            topic: "t".into(),
            partitions: vec![FetchPartition::default()],
            ..FetchTopic::default()
        }],
        ..FetchRequest::default()
    };
    let mut writer = Writer::new();
    request
        .encode(&mut writer, 4)
        .expect("a rack may be left out");
    let read = FetchRequest::decode(&mut Reader::new(writer.finish().bytes), 4).expect("reads");
    assert_eq!(read.rack_id, "");
    assert_eq!(read.max_bytes, i32::MAX);

    let every_topic = MetadataRequest {
        topics: None,
        ..MetadataRequest::default()
    };
    let error = encode_request(ApiKey::Metadata, 0, 0, None, &every_topic).expect_err("no null");
    assert_eq!(error.field, "topics");
    encode_request(ApiKey::Metadata, 1, 0, None, &every_topic).expect("null is all");
    assert_eq!(MetadataRequestTopic::default().name, Some("".into()));
}

/// Bytes written down by hand, so that reader and writer cannot be wrong together.
#[test]
fn known_bytes() {
    // ApiVersions v3 as a Java client sends it, with its header.
    let frame =
        Bytes::from_static(b"\x00\x12\x00\x03\x00\x00\x00\x01\x00\x02me\x00\x05java\x064.4.0\x00");
    let (header, mut reader) = decode_request_header(frame).expect("a header");
    let request: ApiVersionsRequest = decode_request(&mut reader, &header).expect("a request");
    assert_eq!(request.client_software_name, "java");
    assert_eq!(request.client_software_version, "4.4.0");
    assert_eq!(request.node_id, -1);

    let response = ApiVersionsResponse {
        finalized_features_epoch: 5,
        ..ApiVersionsResponse::default()
    };
    let bytes = encode_response(ApiKey::ApiVersions, 3, 1, &response)
        .expect("encodes")
        .bytes;
    assert_eq!(
        hexadecimal(&bytes),
        // size, correlation id, error, no keys, throttle, one tagged field: 1, of 8 bytes
        concat!(
            "00000016",
            "00000001",
            "0000",
            "01",
            "00000000",
            "01",
            "01",
            "08",
            "0000000000000005"
        )
    );
}

#[test]
fn tags_must_increase_and_fill_their_size() {
    let decode = |tagged: &[u8]| {
        let mut bytes = vec![0, 0, 1, 0, 0, 0, 0];
        bytes.extend_from_slice(tagged);
        ApiVersionsResponse::decode(&mut Reader::new(Bytes::from(bytes)), 3)
            .map_err(|error| error.reason)
    };
    let kept = decode(&[2, 50, 1, 0xAB, 51, 0]).expect("unknown tags are kept");
    assert_eq!(
        kept.unknown_tagged_fields,
        vec![(50, Bytes::from_static(b"\xAB")), (51, Bytes::new())]
    );
    assert_eq!(decode(&[2, 51, 0, 50, 0]), Err(DecodeReason::TagOrder(50)));
    assert_eq!(decode(&[2, 51, 0, 51, 0]), Err(DecodeReason::TagOrder(51)));
    assert_eq!(
        decode(&[1, 3, 2, 1, 1]),
        Err(DecodeReason::TaggedFieldBytes {
            claimed: 2,
            read: 1
        })
    );
    assert_eq!(
        decode(&[1, 50, 2, 1]),
        Err(DecodeReason::Truncated { needed: 2, left: 1 })
    );
}

#[test]
fn integers_of_variable_length() {
    for value in [
        0,
        1,
        127,
        128,
        16_383,
        16_384,
        2_097_151,
        268_435_455,
        u32::MAX,
    ] {
        let mut writer = Writer::new();
        writer.uvarint(value);
        assert_eq!(writer.len(), crate::protocol::writer::uvarint_bytes(value));
        assert_eq!(Reader::new(writer.finish().bytes).uvarint(), Ok(value));
    }
    for value in [0, -1, 1, 63, -64, i32::MIN, i32::MAX] {
        let mut writer = Writer::new();
        writer.varint(value);
        writer.varlong(i64::from(value) << 32);
        writer.varlong(i64::MIN);
        let mut reader = Reader::new(writer.finish().bytes);
        assert_eq!(reader.varint(), Ok(value));
        assert_eq!(reader.varlong(), Ok(i64::from(value) << 32));
        assert_eq!(reader.varlong(), Ok(i64::MIN));
    }
    for bytes in [&[0x80; 5][..], &[0xFF, 0xFF, 0xFF, 0xFF, 0x10][..]] {
        let mut reader = Reader::new(Bytes::copy_from_slice(bytes));
        assert_eq!(
            reader.uvarint(),
            Err(DecodeError::new(DecodeReason::Varint))
        );
    }
}
