//! What every broker promises.

ordermill_broker_contract::contract!(
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs ./scripts/stack"]
    crate::test_vhost::vhost
);
