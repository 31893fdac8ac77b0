"""Xero: reads parsed by hand, writes made by the official SDK and sent by transport.

Import what you need from its modules: options.py (XeroOptions), connector.py (XeroConnector),
factory.py (build). Nothing is imported here, so that reading a config stays cheap.
"""
