//! E-mail through the whole shop, to a mail server that is really spoken to.

use super::support::{Shop, order, with};
use ordermill::config::SmtpConfig;
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A mail server that keeps what it gets, and turns the first few away.
#[derive(Clone, Default)]
struct Mailbox {
    mails: Arc<Mutex<Vec<String>>>,
    refusals: Arc<Mutex<u32>>,
}

impl Mailbox {
    fn mails(&self) -> Vec<String> {
        self.mails.lock().unwrap().clone()
    }

    async fn serve(self, listener: TcpListener) {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(self.clone().talk(stream));
        }
    }

    async fn talk(self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 mail\r\n").await?;
        let mut line = String::new();
        while stream.read_line(&mut line).await? > 0 {
            let word = line.get(..4).unwrap_or_default().to_ascii_uppercase();
            let answer: &str = match &*word {
                "EHLO" | "HELO" => "250 mail\r\n",
                "MAIL" if self.refuses() => "451 come back later\r\n",
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await?;
                    let mut mail = String::new();
                    while !mail.ends_with("\r\n.\r\n") {
                        if stream.read_line(&mut mail).await? == 0 {
                            return Ok(());
                        }
                    }
                    self.mails.lock().unwrap().push(mail);
                    "250 kept\r\n"
                }
                "QUIT" => "221 bye\r\n",
                _ => "250 ok\r\n",
            };
            stream.write_all(answer.as_bytes()).await?;
            line.clear();
        }
        Ok(())
    }

    fn refuses(&self) -> bool {
        let mut refusals = self.refusals.lock().unwrap();
        let refuses = *refusals > 0;
        *refusals = refusals.saturating_sub(1);
        refuses
    }

    async fn until(&self, count: usize) -> Vec<String> {
        let until = Instant::now() + Duration::from_secs(30);
        while self.mails().len() < count {
            assert!(Instant::now() < until, "{} mails have come", self.mails().len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.mails()
    }
}

async fn shop(port: u16) -> Shop {
    let url = format!("smtp://127.0.0.1:{port}");
    Shop::with(|config| {
        let from = "Shop <orders@example.com>".parse().unwrap();
        config.smtp = Some(SmtpConfig { url: url.into(), from });
    })
    .await
}

fn mailed() -> serde_json::Value {
    with(order("chair", 1), "/email", json!("ann@example.com"))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_moment_is_one_mail() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mailbox = Mailbox::default();
    tokio::spawn(mailbox.clone().serve(listener));
    let shop = shop(port).await;
    shop.stock("chair", 5).await;
    let silent = shop.place(&order("chair", 1)).await;
    let placed = shop.place(&mailed()).await;
    shop.until(&silent, "CONFIRMED").await;
    shop.until(&placed, "CONFIRMED").await;
    let mails = mailbox.until(2).await;
    shop.close().await;
    assert_eq!(mailbox.mails().len(), 2, "one a moment, none without an address");
    for mail in &mails {
        assert!(mail.contains("To: ann@example.com"), "{mail}");
        assert!(mail.contains("orders@example.com"), "{mail}");
    }
    let with_subject = |word: &str| mails.iter().filter(|mail| mail.contains(word)).count();
    assert_eq!(with_subject("Subject: We have received your order"), 1);
    assert_eq!(with_subject("Subject: Your order is confirmed"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_mail_refusal_is_retried() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mailbox = Mailbox::default();
    *mailbox.refusals.lock().unwrap() = 2;
    tokio::spawn(mailbox.clone().serve(listener));
    let shop = shop(port).await;
    shop.stock("chair", 5).await;
    let placed = shop.place(&mailed()).await;
    shop.until(&placed, "CONFIRMED").await;
    mailbox.until(2).await;
    shop.close().await;
    assert_eq!(mailbox.mails().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_are_sent_when_the_server_is_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let shop = shop(port).await;
    shop.stock("chair", 5).await;
    let placed = shop.place(&mailed()).await;
    shop.until(&placed, "CONFIRMED").await;
    let mailbox = Mailbox::default();
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    tokio::spawn(mailbox.clone().serve(listener));
    mailbox.until(2).await;
    shop.close().await;
    assert_eq!(mailbox.mails().len(), 2);
}
