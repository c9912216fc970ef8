//! Nothing comes any more, or it is said that something may.

use super::{
    CANCEL_PAGE, CREATE, GROSS, STATUS, ask, calls, code, is, page_at, page_cancelled, snap_error,
    subject, with_page,
};
use ordermill_domain::payment::{GatewayError, Operation};

#[tokio::test]
async fn the_page_is_cancelled_before_the_transaction() {
    let replies = vec![page_cancelled(), is("pending"), is("cancel")];
    let (result, requests) = ask(with_page(), Operation::Cancel, replies).await;
    let payment = result.unwrap();
    assert!(payment.closed);
    assert_eq!((payment.captured_minor, payment.refunded_minor), (0, 0));
    assert_eq!(calls(&requests), [CANCEL_PAGE, STATUS, "POST /v2/tx-1/cancel"]);

    for text in ["token already canceled", "token not found"] {
        let replies = vec![snap_error(400, text), code("404")];
        let (result, _) = ask(with_page(), Operation::Cancel, replies).await;
        assert!(result.unwrap().closed, "{text}");
    }
}

#[tokio::test]
async fn a_lost_page_is_replaced_to_be_cancelled() {
    let url = "https://app.sandbox.midtrans.com/x";
    let replies = vec![page_at(url), page_cancelled(), code("404")];
    let (result, requests) = ask(subject(), Operation::Cancel, replies).await;
    let payment = result.unwrap();
    assert!(payment.closed && payment.page.is_none());
    assert_eq!(calls(&requests), [CREATE, CANCEL_PAGE, STATUS]);

    let taken = snap_error(400, "transaction_details.order_id sudah digunakan");
    let replies = vec![taken, is("pending"), is("cancel")];
    let (result, requests) = ask(subject(), Operation::Cancel, replies).await;
    assert!(result.unwrap().closed);
    assert_eq!(calls(&requests), [CREATE, STATUS, "POST /v2/tx-1/cancel"]);
}

#[tokio::test]
async fn a_try_that_cannot_be_stopped_is_no_end() {
    for text in ["Transaction is on progress", "Transaction is in progress"] {
        for found in [code("404"), is("pending"), is("authorize"), is("deny")] {
            let replies = vec![snap_error(400, text), found];
            let (result, requests) = ask(with_page(), Operation::Cancel, replies).await;
            assert!(matches!(result, Err(GatewayError::Unknown(_))), "{text}");
            assert_eq!(calls(&requests), [CANCEL_PAGE, STATUS]);
        }
        let replies = vec![snap_error(400, text), is("settlement")];
        let (result, _) = ask(with_page(), Operation::Cancel, replies).await;
        assert_eq!(result.unwrap().captured_minor, GROSS);
    }
}

#[tokio::test]
async fn money_that_was_faster_than_the_cancel_is_told() {
    let replies = vec![page_cancelled(), is("pending"), code("412"), is("settlement")];
    let (result, _) = ask(with_page(), Operation::Cancel, replies).await;
    let payment = result.unwrap();
    assert_eq!((payment.captured_minor, payment.refunded_minor), (GROSS, 0));

    let replies = vec![page_cancelled(), is("pending"), code("412"), is("pending")];
    let (result, _) = ask(with_page(), Operation::Cancel, replies).await;
    assert!(!result.unwrap().closed, "it may still be paid");
}

#[tokio::test]
async fn the_cancel_of_a_captured_card_gives_all_of_it_back() {
    let replies = vec![page_cancelled(), is("capture"), is("cancel")];
    let (result, _) = ask(with_page(), Operation::Cancel, replies).await;
    let payment = result.unwrap();
    assert_eq!((payment.captured_minor, payment.refunded_minor), (GROSS, GROSS));
    assert!(payment.closed);
}
