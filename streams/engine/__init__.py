"""Faust with one Kafka transaction per partition batch. The only package that uses internals of Faust or aiokafka."""
