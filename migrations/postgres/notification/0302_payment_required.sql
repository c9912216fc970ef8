-- A sixth topic: 6 order.payment_required.
ALTER TABLE notifications DROP CONSTRAINT notifications_topic_check;
ALTER TABLE notifications ADD CONSTRAINT notifications_topic_check CHECK (topic BETWEEN 1 AND 6);
