//! The model in memory, held to the contract that it is the model of.

use ordermill_contract::MemoryBackend;

async fn memory() -> MemoryBackend {
    MemoryBackend::default()
}

ordermill_contract::contract!(crate::memory);
