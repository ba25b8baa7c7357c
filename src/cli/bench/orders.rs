//! Records that a codec makes smaller, as it does those of real topics: orders in JSON, about 1 KiB
//! each, like those that `cargo dev bench` sends.

use crate::base::prng::Prng;
use crate::cli::perf::payload::PayloadPlan;
use std::fmt::Write;
use std::sync::Arc;

/// How many there are: a batch hardly has one of them twice.
const COUNT: u64 = 10_000;
/// Articles of an order.
const ITEMS: u32 = 7;

const NAMES: [&str; 8] = [
    "ada", "grace", "alan", "barbara", "edsger", "frances", "leslie", "tony",
];
const STATES: [&str; 4] = ["created", "paid", "shipped", "returned"];

/// Values drawn from them.
pub fn payloads(prng: &mut Prng) -> PayloadPlan {
    let orders = (0..COUNT).map(|number| order(number, prng).into_bytes().into_boxed_slice());
    PayloadPlan::OneOf(Arc::new(orders.collect()))
}

fn order(number: u64, prng: &mut Prng) -> String {
    let name = NAMES[prng.index(NAMES.len())];
    let state = STATES[prng.index(STATES.len())];
    let mut text = format!(
        "{{\"order_id\":\"{:016x}\",\"sequence\":{number},\"state\":\"{state}\",\"customer\":\
         {{\"name\":\"{name}\",\"id\":{},\"email\":\"{name}.{}@example.com\"}},\
         \"created_at\":\"2026-0{}-1{}T0{}:{}5:{}7.{:03}Z\",\"items\":[",
        prng.next(),
        prng.below(1_000_000),
        prng.below(10_000),
        prng.below(9) + 1,
        prng.below(10),
        prng.below(10),
        prng.below(6),
        prng.below(6),
        prng.below(1000)
    );
    for item in 0..ITEMS {
        let comma = if item == 0 { "" } else { "," };
        write!(
            text,
            "{comma}{{\"sku\":\"SKU-{:08}\",\"title\":\"Article number {}\",\"quantity\":{},\
             \"price_cents\":{},\"currency\":\"EUR\"}}",
            prng.below(100_000_000),
            prng.below(5000),
            prng.below(9) + 1,
            prng.below(100_000)
        )
        .expect("memory takes every byte");
    }
    write!(
        text,
        "],\"shipping\":{{\"street\":\"Main Street {}\",\"city\":\"Berlin\",\"zip\":\"{:05}\"}}}}",
        prng.below(400),
        prng.below(100_000)
    )
    .expect("memory takes every byte");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Compression;
    use crate::record::compress::compress;

    #[test]
    fn an_order_is_json_of_about_a_kibibyte_that_a_codec_makes_smaller() {
        let mut prng = Prng::new(1);
        let mut together = Vec::new();
        for number in 0..100 {
            let order = order(number, &mut prng);
            assert!(
                (900..1150).contains(&order.len()),
                "{}: {order}",
                order.len()
            );
            let read: serde_json::Value = serde_json::from_str(&order).unwrap();
            assert_eq!(read["items"].as_array().unwrap().len(), 7);
            together.extend_from_slice(order.as_bytes());
        }
        let mut smaller = Vec::new();
        compress(Compression::Lz4, None, &together, &mut smaller);
        assert!(smaller.len() < together.len() / 2, "{}", smaller.len());
    }
}
