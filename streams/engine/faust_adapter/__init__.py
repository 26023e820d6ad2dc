"""The subclasses of Faust and aiokafka classes."""
