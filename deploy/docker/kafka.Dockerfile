# A broker from Kafka's jars alone; whoever starts it brings the settings and the command.
ARG BASE
FROM ${BASE}
COPY libs /opt/kafka/libs
RUN chmod -R a+rX /opt/kafka
