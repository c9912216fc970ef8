//! Retrieve: what Midtrans has of a payment.

use crate::gateway::Midtrans;
use crate::transaction::Transaction;
use ordermill_domain::payment::{GatewayError, GatewayPayment, Subject};

impl Midtrans {
    pub(crate) async fn retrieve(&self, subject: &Subject) -> Result<GatewayPayment, GatewayError> {
        let found = self.find(subject).await?;
        Ok(self.answer(subject, found))
    }

    /// The answer of a payment with this transaction.
    pub(crate) fn answer(&self, subject: &Subject, found: Option<Transaction>) -> GatewayPayment {
        answer(subject, found, self.is_page_over(subject))
    }

    /// The payment's transaction. None: the customer has chosen no method.
    ///
    /// One that is known is asked for by its own identifier, since some methods are found in no other way. When it is
    /// over, the customer may have begun another one, which has the order's name now.
    pub(crate) async fn find(
        &self,
        subject: &Subject,
    ) -> Result<Option<Transaction>, GatewayError> {
        let known = match &subject.reference.payment {
            Some(id) => self.find_by(subject, id).await?,
            None => None,
        };
        if known.as_ref().is_some_and(|transaction| !transaction.meaning.is_over()) {
            return Ok(known);
        }
        let latest = self.find_by(subject, &self.name(subject)).await?;
        Ok(latest.or(known))
    }

    async fn find_by(
        &self,
        subject: &Subject,
        id: &str,
    ) -> Result<Option<Transaction>, GatewayError> {
        let answer = self.get_status(subject, id).await?;
        // The code is that of the transaction, 407 for one that expired; only without a transaction it is an answer.
        let has_transaction = answer.body.text("transaction_status").is_some();
        match answer.code {
            // In its own words: a server that knows no such path knows no payments either.
            404 if answer.body.code() == Some(404) => Ok(None),
            404 => Err(GatewayError::Unknown("HTTP 404 without a `status_code`".into())),
            _ if has_transaction && answer.http.is_success() => {
                Transaction::read(&answer.body, &self.settings, &self.name(subject)).map(Some)
            }
            200..=299 => Err(GatewayError::Unknown("no `transaction_status`".into())),
            _ => Err(answer.error()),
        }
    }
}

/// The answer of a payment with this transaction. `page_over`: its page takes no further try.
pub(crate) fn answer(
    subject: &Subject,
    found: Option<Transaction>,
    page_over: bool,
) -> GatewayPayment {
    match found {
        Some(transaction) => transaction.payment(subject, page_over),
        // At most there is a page, of which Midtrans says nothing.
        None => GatewayPayment {
            reference: subject.reference.clone(),
            closed: page_over,
            status_text: if page_over { "page closed" } else { "no transaction" }.into(),
            ..GatewayPayment::default()
        },
    }
}
