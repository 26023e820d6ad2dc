"""The engine: Faust's App with one Kafka transaction per partition batch. The only room that knows Faust's and aiokafka's insides."""
