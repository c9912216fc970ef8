use super::*;
use crate::settings::{Environment, Keys};
use ordermill_domain::ids::OrderId;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

const KEY: &str = "SB-Mid-server-ordermill-test-0001";

#[derive(Deserialize)]
struct Vectors {
    midtrans_sha512: Vec<Vector>,
}

#[derive(Clone, Deserialize)]
struct Vector {
    name: String,
    order_id: String,
    status_code: String,
    gross_amount: String,
    server_key: String,
    signature_key: String,
}

fn vectors() -> Vec<Vector> {
    let vectors: Vectors = serde_json::from_str(include_str!("../../tests/vectors.json")).unwrap();
    vectors.midtrans_sha512
}

fn settlement() -> Vector {
    vectors().into_iter().find(|vector| vector.name == "settlement").unwrap()
}

fn settings(key: &str) -> MidtransSettings {
    MidtransSettings::new(Environment::Sandbox, ServerKey::parse(key).unwrap())
}

fn body(vector: &Vector) -> Value {
    json!({
        "order_id": vector.order_id,
        "status_code": vector.status_code,
        "gross_amount": vector.gross_amount,
        "signature_key": vector.signature_key,
        "transaction_status": "settlement",
        "fraud_status": "accept",
        "currency": "IDR",
        "merchant_id": "G1",
    })
}

/// A genuine settlement with these fields instead of its own; null takes one away.
fn changed(changes: &Value) -> Value {
    let mut body = body(&settlement());
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn read_with(settings: &MidtransSettings, body: &Value) -> Result<Notification, NotificationError> {
    MidtransReader::new(settings).read(body.to_string().as_bytes())
}

fn read(body: &Value) -> Result<Notification, NotificationError> {
    read_with(&settings(KEY), body)
}

#[test]
fn the_vectors_are_genuine_where_their_form_is_right() {
    let mut names = Vec::new();
    for vector in vectors() {
        let outcome = read_with(&settings(&vector.server_key), &body(&vector));
        if matches!(vector.name.as_str(), "concatenation" | "without-decimals") {
            assert!(matches!(outcome, Err(NotificationError::Malformed(_))), "{}", vector.name);
        } else {
            assert_eq!(outcome.map(|n| n.reference), Ok(vector.order_id), "{}", vector.name);
        }
        names.push(vector.name);
    }
    assert_eq!(names.len(), 7, "{names:?}");
}

#[test]
fn a_notification_names_its_order_and_what_it_claims() {
    let order = Uuid::parse_str("0198c2f4-7a31-7c55-9d02-3b6f8e1a4c77").unwrap();
    let expected = Notification {
        provider: Provider::Midtrans,
        reference: format!("om-{order}"),
        order_id: Some(OrderId(order)),
        is_test: false,
        claimed_minor: 14_500_000,
        text: "settlement/accept 145000.00 IDR".into(),
    };
    assert_eq!(read(&changed(&json!({}))), Ok(expected));
    for (status, claimed) in
        [("CAPTURE", 14_500_000), ("authorize", 14_500_000), ("pending", 0), ("expire", 0)]
    {
        let notification = read(&changed(&json!({ "transaction_status": status }))).unwrap();
        assert_eq!(notification.claimed_minor, claimed, "{status}");
    }
}

#[test]
fn a_signature_of_another_text_is_forged() {
    let flipped = |at: usize| {
        let mut signature = settlement().signature_key.into_bytes();
        signature[at] = if signature[at] == b'0' { b'1' } else { b'0' };
        String::from_utf8(signature).unwrap()
    };
    for changes in [
        json!({ "signature_key": flipped(0) }),
        json!({ "signature_key": flipped(127) }),
        json!({ "signature_key": "0".repeat(128) }),
        json!({ "order_id": "om-0198c2f4-7a31-7c55-9d02-3b6f8e1a4c78" }),
        json!({ "status_code": "201" }),
        json!({ "gross_amount": "145000.01" }),
    ] {
        assert_eq!(read(&changed(&changes)), Err(NotificationError::Forged), "{changes}");
    }
    let other = settings("SB-Mid-server-ordermill-test-0002");
    assert_eq!(read_with(&other, &changed(&json!({}))), Err(NotificationError::Forged));
    let upper = json!({ "signature_key": settlement().signature_key.to_ascii_uppercase() });
    assert!(read(&changed(&upper)).is_ok(), "the digits are compared, not their case");
}

#[test]
fn the_key_before_is_taken_while_it_is_set() {
    let key = |text| ServerKey::parse(text).unwrap();
    let next = key("SB-Mid-server-ordermill-test-0002");
    let rolled = settings(KEY);
    let reader = MidtransReader::new(&rolled);
    let is_read = || reader.read(changed(&json!({})).to_string().as_bytes());
    assert!(is_read().is_ok());
    let both = Keys { current: next.clone(), previous: Some(key(KEY)) };
    assert!(rolled.keys.replace(both.clone()) && !rolled.keys.replace(both));
    assert!(is_read().is_ok(), "the reader has the keys that replaced its own");
    rolled.keys.replace(Keys { current: next, previous: None });
    assert_eq!(is_read(), Err(NotificationError::Forged));
}

#[test]
fn a_wrong_form_is_malformed_whatever_is_signed() {
    for name in ["order_id", "status_code", "gross_amount", "signature_key"] {
        for value in [Value::Null, json!(145_000.00), json!(""), json!([]), json!({})] {
            let outcome = read(&changed(&json!({ name: value })));
            assert!(matches!(outcome, Err(NotificationError::Malformed(_))), "{name} {value}");
        }
    }
    let signature = settlement().signature_key;
    for changes in [
        json!({ "order_id": "x".repeat(51) }),
        json!({ "status_code": "20" }),
        json!({ "status_code": "2000" }),
        json!({ "status_code": "2 0" }),
        json!({ "status_code": "٢٠٠" }),
        json!({ "gross_amount": "145000" }),
        json!({ "gross_amount": "145000.0" }),
        json!({ "gross_amount": "145000.000" }),
        json!({ "gross_amount": ".00" }),
        json!({ "gross_amount": "-145000.00" }),
        json!({ "gross_amount": "145000.00 " }),
        json!({ "gross_amount": "12345678901234.00" }),
        json!({ "signature_key": &signature[1..] }),
        json!({ "signature_key": format!("{signature}0") }),
        json!({ "signature_key": format!("+{}", &signature[1..]) }),
        json!({ "signature_key": "é".repeat(64) }),
    ] {
        let outcome = read(&changed(&changes));
        assert!(matches!(outcome, Err(NotificationError::Malformed(_))), "{changes}");
    }
    let reader = MidtransReader::new(&settings(KEY));
    let large = format!("{}{}", changed(&json!({})), " ".repeat(BODY_BYTES_MAX));
    for body in [&b""[..], b"null", b"[]", b"{", b"{\"order_id\":\"\xff\"}", large.as_bytes()] {
        assert!(matches!(reader.read(body), Err(NotificationError::Malformed(_))));
    }
}

#[test]
fn what_is_not_signed_may_be_anything() {
    for value in [Value::Null, json!(7), json!([1]), json!({ "a": 1 }), json!("x".repeat(1000))] {
        let changes = json!({ "transaction_status": value, "fraud_status": value,
            "currency": value, "merchant_id": value, "transaction_id": value });
        let notification = read(&changed(&changes)).unwrap();
        assert_eq!(notification.text, "? 145000.00", "{value}");
        assert_eq!(notification.claimed_minor, 0);
    }
    let personal = json!({ "transaction_status": "<b>\n4811 1111", "fraud_status": "a b" });
    assert_eq!(read(&changed(&personal)).unwrap().text, "? 145000.00 IDR");
}

#[test]
fn another_merchant_is_told_apart_after_the_signature() {
    let mut ours = settings(KEY);
    ours.merchant_id = Some("G2".into());
    let other = Err(NotificationError::OtherMerchant);
    assert_eq!(read_with(&ours, &changed(&json!({}))), other);
    let forged = changed(&json!({ "status_code": "201" }));
    assert_eq!(read_with(&ours, &forged), Err(NotificationError::Forged));
    ours.merchant_id = Some("G1".into());
    assert!(read_with(&ours, &changed(&json!({}))).is_ok());
}

#[test]
fn tests_and_orders_of_other_shops_are_nobodys() {
    for (name, is_test) in [("payment_notif_test_G1_x", true), ("shop-17", false)] {
        let mut vector = settlement();
        vector.order_id = name.into();
        let signed = Signed {
            order_id: name,
            status_code: "200",
            gross_amount: "145000.00",
            signature: Signature([0; SIGNATURE_BYTES]),
        };
        let digest = signed.digest(&ServerKey::parse(KEY).unwrap());
        vector.signature_key = digest.0.iter().map(|byte| format!("{byte:02x}")).collect();
        let notification = read(&body(&vector)).unwrap();
        assert_eq!((notification.order_id, notification.is_test), (None, is_test));
        assert_eq!(notification.reference, name);
    }
}
