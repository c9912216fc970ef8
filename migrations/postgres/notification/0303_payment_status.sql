-- Four more topics: payment.status.updated as 7 pending, 8 success, 9 expired, 10 failed.
ALTER TABLE notifications DROP CONSTRAINT notifications_topic_check;
ALTER TABLE notifications ADD CONSTRAINT notifications_topic_check CHECK (topic BETWEEN 1 AND 10);
