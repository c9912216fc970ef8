//! Payment gateways: each is held to the one contract; Midtrans besides to what its fake can do wrong.

#![expect(clippy::unwrap_used, reason = "a test panics when it fails")]

mod gateways {
    mod faults;
    pub mod midtrans;
}

ordermill_gateway_contract::contract!(
    #[tokio::test]
    crate::gateways::midtrans::midtrans
);
